"""Why a file of applications is refused as a whole, before anything in it is checked or sent."""

from __future__ import annotations

from collections.abc import Mapping

# `{}` is where: a line, a place in order, a limit.  Never a value of the file, nor a name that stands in it (law 8).
SENTENCES: Mapping[str, str] = {
    "package.name": "its name is not ZAGL_ZZJH_ and the 25 digits of its batch, with .xml, .csv or .zip or as a folder",
    "package.rows": "{} files of applications in it: put in one, .xml or .csv, with the name of the package",
    "package.number": "its name and the batch number inside differ: give it the name of its batch",
    "package.batch": "{}: a package has one batch, which stands before its applications and can be read",
    "package.count": "its header and its applications differ in number ({}): copy the whole file, or correct the count",
    "package.row": "application {} cannot be read or sent: `cardmill check` says why",
    "package.portrait": "the portrait of application {} is named, but is not there or has more than {} bytes",
    "package.changed": "application {} changed while it was being sent: leave the file alone and send it again",
    "package.no_due": "its header has no due day: add `due`, or give one with --due YYYYMMDD",
    "package.encoding": "{}: write it in UTF-8",
    "package.too_large": "it has more than {} bytes",
    "package.version": "it is of another version: this program reads version 1",
    "package.xml": "the XML is damaged or cut off at line {}: write it out again and copy it whole",
    "package.xml_dtd": "it has a document type (DTD), which could define entities: leave that out",
    "package.xml_shape": "an element or a text at line {} has no place there: docs/offline.xsd says what has",
    "package.csv": "the CSV is damaged or cut off at line {}: docs/offline.md says how it looks",
    "package.zip": "the zip archive is damaged, cut off or has something before or after it: {}",
    "package.zip_encrypted": "the zip archive is encrypted: send it without a password, the link is encrypted itself",
    "package.zip_path": "member {} of the zip archive has a path that leads elsewhere, or is no plain file",
    "package.members": "it holds more than {} files",
    "package.zip_doubled": "member {} of the zip archive has the name of another one",
    "package.zip_nested": "member {} of the zip archive is an archive itself: put its files in directly",
    "package.zip_method": "member {} of the zip archive is packed by another method than deflate",
    "package.zip_bomb": "member {} of the zip archive unpacks to more than {} bytes",
    "package.unreadable": "it cannot be read: {}",
    "package.bare": "a watch folder takes zip archives and folders: put the file and its portraits into one",
    "package.watched": "another process watches this folder: end that one first",
    "package.member": "member {} belongs to no package, which is one file of applications and JPEG files, no links",
}


class PackageError(Exception):
    """A file or folder that is no package, or not a whole one.

    Attributes:
        code: stable, see SENTENCES.
        sentence: what to do; nothing of what the file holds.
    """

    def __init__(self, code: str, *where: object) -> None:
        self.code, self.where = code, where
        self.sentence = SENTENCES[code].format(*where)
        super().__init__(f"{code}: {self.sentence}")
