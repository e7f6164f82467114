"""Ansible's look at the onions' locked keys, in memory alone; its own would give the keys to the playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

from keys.onion import NAME_FILE, SECRET_FILE, is_key_of

DOCUMENTATION = """
name: foreign_onions
short_description: onions whose key is another's
description: [Gives those of the folders whose key belongs to another address than the file hostname says]
author: Knothole
options:
  _terms:
    description: the folders
    required: true
"""


class LookupModule(LookupBase):  # type: ignore[misc]
    def run(self, terms: list[str], *_: Any, **__: Any) -> list[str]:
        """Gives them; raises AnsibleError when the passphrase does not open a key."""
        return [folder for folder in terms if not self._own(Path(folder))]

    def _own(self, folder: Path) -> bool:
        # Latin-1 has a letter for every byte, so that this is the key as it is.
        key = self._loader.get_text_file_contents(str(folder / SECRET_FILE), encoding="latin-1")
        return is_key_of(key.encode("latin-1"), (folder / NAME_FILE).read_text().strip())
