"""The preferences Firefox is tested with: silent, private as Tor Browser is, at its security levels."""

from collections.abc import Mapping

Prefs = Mapping[str, bool | int | str]

QUIET: Prefs = {  # whatever would call home or interrupt
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.topsites.contile.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.usage.uploadEnabled": False,
    "dom.abort_script_on_child_shutdown": False,  # of a page that a test leaves; the next would be told of it
    "dom.push.connection.enabled": False,
    "extensions.enabledScopes": 0,  # to look for add-ons takes a third of its start
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.speculative-parallel-limit": 0,
    "network.trr.mode": 5,
    "security.remote_settings.crlite_filters.enabled": False,
    "security.remote_settings.intermediates.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "termsofuse.bypassNotification": True,
    "toolkit.telemetry.server": "data:,",
    "ui.prefersReducedMotion": 1,  # what moves while a page loads takes a tenth of a processor
    # How Tor Browser always runs, and one content process so that memory is read from few places.
    "browser.privatebrowsing.autostart": True,
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
    "marionette.port": 0,
}
_COMPILERS = ("ion", "baselinejit", "native_regexp", "asmjs", "wasm")
_SAFER: Prefs = {
    **{f"javascript.options.{name}": False for name in _COMPILERS},
    "mathml.disabled": True,
    "gfx.font_rendering.graphite.enabled": False,
    "gfx.font_rendering.opentype_svg.enabled": False,
}
LEVELS: Mapping[str, Prefs] = {"standard": {}, "safer": _SAFER}  # named as in Tor Browser
SAFEST: Prefs = {**_SAFER, "javascript.enabled": False, "svg.disabled": True}

# What else a page meets in Tor Browser. Which tor to go through, `network.proxy.socks_port` says.
TOR_BROWSER: Prefs = {
    "dom.securecontext.allowlist_onions": True,
    "dom.security.https_only_mode": True,
    "dom.security.https_only_mode.upgrade_onion": False,
    "dom.serviceWorkers.enabled": False,
    "media.peerconnection.enabled": False,
    "network.dns.blockDotOnion": False,
    "network.dns.disabled": True,
    "network.http.referer.hideOnionSource": True,
    "network.proxy.failover_direct": False,
    "network.proxy.socks": "127.0.0.1",
    "network.proxy.socks_remote_dns": True,
    "network.proxy.socks5_remote_dns": True,
    "network.proxy.type": 1,
    "privacy.resistFingerprinting": True,
    "webgl.disabled": True,
}
