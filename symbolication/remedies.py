"""What diagnoses say: for every verdict and aspect why it is so, and what a person can do about it.

`{source}` is the source's name, `{host}` the host or bucket, `{path}` the file's path on it, `{details}` what came back
(a status line, say), `{module}` the module's file name, `{file}` the kind of file that is wanted, `{until}` a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.lookup.absences import Absence
from engine.lookup.diagnosis import Aspect, Verdict
from engine.modules import ModuleType


@dataclass(frozen=True, slots=True)
class Advice:
    """Two sentences or more, to be filled in."""

    cause: str
    remedy: str


_TEST: Final = "Use the source's test to see which step fails."

ADVICE: Final[dict[tuple[Verdict, Aspect], Advice]] = {
    (Verdict.FOUND, Aspect.PLAIN): Advice(
        "{module} was symbolicated with a file of the source “{source}”.", "Nothing needs to be done."
    ),
    (Verdict.FOUND, Aspect.UNWINDING): Advice(
        "Stacks were unwound through {module} with a file of the source “{source}”.", "Nothing needs to be done."
    ),
    (Verdict.WRONG_ID, Aspect.UNWINDING): Advice(
        "The file at {path} of the source “{source}” is of another build than {module}: its id differs. Stacks were"
        " unwound with it all the same, so frames may be wrong.",
        "Replace the file on “{source}” by {file} of the build that crashed.",
    ),
    (Verdict.MALFORMED, Aspect.UNWINDING): Advice(
        "The file at {path} of the source “{source}” was read, but its unwind information is damaged, so what called"
        " {module} is guessed.",
        "Replace the file by {file} made by the build anew, and purge the cache of this module.",
    ),
    (Verdict.NO_UNWIND_INFO, Aspect.UNWINDING): Advice(
        "The source “{source}” has a file for {module} (at {path}), but it holds no unwind information, so what called"
        " {module} is guessed.",
        "Put {file} of this build beside it, under one of the paths listed here: files with debug information alone"
        " have no unwind information.",
    ),
    (Verdict.WRONG_ID, Aspect.PLAIN): Advice(
        "The file at {path} of the source “{source}” is of another build than {module}: its id differs. It was used"
        " all the same, so names and lines may be wrong.",
        "Replace the file on “{source}” by {file} of the build that crashed.",
    ),
    (Verdict.NOT_FOUND, Aspect.PLAIN): Advice(
        "None of the sources has a file for {module} under the paths that were asked for.",
        "Put {file} of exactly this build under one of the paths listed here. If it is there, check the layout of the"
        " source and whether the file's id is the one of the module. A file that is new is found once the listed"
        " times are over, or at once after purging the cache.",
    ),
    (Verdict.NOT_FOUND, Aspect.SOME_DISABLED): Advice(
        "None of the sources that could be asked has a file for {module}, and at least one source could not be asked.",
        "Repair the sources that were left out (each says why), or put {file} under one of the paths listed here.",
    ),
    (Verdict.REFUSED, Aspect.PLAIN): Advice(
        "The source “{source}” ({host}) refused to give the file: {details}.",
        "Give the source's account the right to read these files, or correct its credentials. " + _TEST,
    ),
    (Verdict.REFUSED, Aspect.CREDENTIALS): Advice(
        "The source “{source}” ({host}) did not accept the credentials: {details}.",
        "Enter the credentials of the source again; a change takes effect at once.",
    ),
    (Verdict.REFUSED, Aspect.LOGIN_PAGE): Advice(
        "The source “{source}” ({host}) answered with a redirect to a login page.",
        "Enter credentials that work without a browser, such as an access token in the place of the password.",
    ),
    (Verdict.REFUSED, Aspect.LISTING): Advice(
        "The bucket of the source “{source}” ({host}) refused access. The credentials may not list it, so this can be a"
        " file that is missing as well as one that may not be read.",
        "Grant the permission to list the bucket (s3:ListBucket or storage.objects.list): then missing files are told"
        " apart from refused ones.",
    ),
    (Verdict.REFUSED, Aspect.READING): Advice(
        "The credentials of the source “{source}” may list the bucket {host}, but not read its files.",
        "Grant the permission to read objects (s3:GetObject or storage.objects.get).",
    ),
    (Verdict.REFUSED, Aspect.BUCKET): Advice(
        "The bucket {host} of the source “{source}” does not exist.",
        "Correct the bucket's name, or the endpoint, of the source.",
    ),
    (Verdict.REFUSED, Aspect.REGION): Advice(
        "The bucket {host} of the source “{source}” lies in another region: {details}.",
        "Set the region of the source to the one of the bucket.",
    ),
    (Verdict.UNREACHABLE, Aspect.PLAIN): Advice(
        "The source “{source}” ({host}) could not be reached: {details}.",
        "Check that the server runs and can be reached from this service. " + _TEST,
    ),
    (Verdict.UNREACHABLE, Aspect.LEFT_ALONE): Advice(
        "{host}, the host of the source “{source}”, failed so often that it is left alone until {until}.",
        "Repair the host; it is asked again by itself after that time. The operator can exempt it from being left"
        " alone with DENY_LIST_NEVER_BLOCK_HOSTS.",
    ),
    (Verdict.UNREACHABLE, Aspect.RESTRICTED): Advice(
        "{host}, the host of the source “{source}”, leads to a reserved address (loopback, private network or the"
        " like), and the service does not connect to these.",
        "Use a public address, or have the operator allow this network with ALLOWED_SOURCE_NETWORKS.",
    ),
    (Verdict.UNREACHABLE, Aspect.NAME): Advice(
        "The host name {host} of the source “{source}” cannot be resolved.",
        "Correct the host name in the source's address, or have it added to the name server that this service uses.",
    ),
    (Verdict.UNREACHABLE, Aspect.TLS): Advice(
        "No secure connection could be made to {host}, the host of the source “{source}”.",
        "Give the host a valid certificate for this name from a known authority, its intermediate certificates"
        " included. " + _TEST,
    ),
    (Verdict.UNREACHABLE, Aspect.NO_LISTENER): Advice(
        "{host}, the host of the source “{source}”, refuses connections: no server listens at that port.",
        "Start the server, or correct the port in the source's address.",
    ),
    (Verdict.UNREACHABLE, Aspect.SERVER_ERROR): Advice(
        "The server of the source “{source}” ({host}) failed: {details}.",
        "Look into the log of that server. The file is asked for again at the time listed here.",
    ),
    (Verdict.TIMED_OUT, Aspect.PLAIN): Advice(
        "The source “{source}” ({host}) did not answer in time: {details}.",
        "Check the load of the server and the network between it and this service. " + _TEST,
    ),
    (Verdict.MALFORMED, Aspect.PLAIN): Advice(
        "What the source “{source}” gave for {path} is no debug file, or a damaged one.",
        "Replace the file by {file} of this build. If the server answers missing files with a page, have it answer"
        " 404. Purge the cache of this module afterwards.",
    ),
    (Verdict.MALFORMED, Aspect.CONVERSION): Advice(
        "The file at {path} of the source “{source}” was read, but its debug information is damaged.",
        "Replace the file by {file} made by the build anew, and purge the cache of this module.",
    ),
    (Verdict.TOO_LARGE, Aspect.PLAIN): Advice(
        "The file at {path} of the source “{source}” is larger than this service takes.",
        "Have the operator raise MAX_DOWNLOAD_BYTES and CACHE_MAX_BYTES, or provide a smaller file: without the code,"
        " or compressed debug sections.",
    ),
    (Verdict.NOT_CONFIGURED, Aspect.PLAIN): Advice(
        "The source “{source}” cannot be used as it is configured: {details}.",
        "Complete the source's configuration. " + _TEST,
    ),
    (Verdict.NO_DEBUG_INFO, Aspect.PLAIN): Advice(
        "The source “{source}” has a file for {module} (at {path}), but it holds neither debug information nor"
        " symbols: it was stripped.",
        "Put {file} of this build beside it, under one of the paths listed here.",
    ),
    (Verdict.UNSUPPORTED, Aspect.PLAIN): Advice(
        "The file at {path} of the source “{source}” is of a format that cannot be used for {module}: {details}.",
        "Provide {file} instead.",
    ),
    (Verdict.FILTERED_OUT, Aspect.PLAIN): Advice(
        "The filters of the sources leave {module} out, so no source was asked for it.",
        "Widen the path patterns, file types or the demand for a checksum of the source that has the file.",
    ),
    (Verdict.NO_LOCATION, Aspect.PLAIN): Advice(
        "In the layouts of the sources there is no place for files of {module}: the layout knows no files of this"
        " kind, or the report lacks the id or the file name that the path is made of.",
        "Add a source with a layout for these files, or have the crash reporter send code id, debug id and both file"
        " names.",
    ),
    (Verdict.NO_IDS, Aspect.PLAIN): Advice(
        "The report says neither a debug id nor a code id of {module}, so its file cannot be told from that of another"
        " build.",
        "Build the module with an id (ELF: link with -Wl,--build-id; Windows: with a PDB; Mach-O: has one unless it was"
        " removed) and have the crash reporter send it.",
    ),
    (Verdict.NO_SOURCES, Aspect.PLAIN): Advice(
        "The project has no symbol source, so {file} of {module} was looked for nowhere.",
        "Add a symbol source to the project or its organization, or choose a built-in one.",
    ),
    (Verdict.SOURCE_DISABLED, Aspect.PLAIN): Advice(
        "The project has symbol sources, but none that lookups can ask.",
        "Repair the sources (each says why it is left out), or add another one.",
    ),
    (Verdict.INTERNAL_ERROR, Aspect.PLAIN): Advice(
        "The service failed while it looked for a file of {module}.",
        "Send the report again in a minute. If that does not help, the operator finds the cause in the log.",
    ),
    (Verdict.INTERNAL_ERROR, Aspect.CACHE_FULL): Advice(
        "The cache directory of this service is full, so no file could be fetched for {module}.",
        "Have the operator free space on that disk or lower CACHE_MAX_BYTES. It is tried again in a minute.",
    ),
}

NOTES: Final[dict[Absence, str]] = {
    Absence.NO_CHECKSUM: "Left out: the source demands a debug checksum, and the module has none.",
    Absence.NO_PATTERN: "Left out: none of the source's path patterns matches the module.",
    Absence.NO_FILE_TYPE: "Left out: the source's file types include none that the module needs.",
    Absence.NO_PLACE: "Not asked: the source's layout has no place for files of this module.",
    Absence.NO_IDS: "Not asked: the module has no id.",
    Absence.NOT_LISTED: "The source lists no file for this module.",
}

_FILES: Final[dict[ModuleType, str]] = {
    ModuleType.ELF: "the file with debug information (the unstripped file or its .debug file)",
    ModuleType.MACHO: "the dSYM",
    ModuleType.PE: "the PDB file",
    ModuleType.PE_DOTNET: "the portable PDB file",
    ModuleType.WASM: "the WebAssembly file with debug information",
    ModuleType.UNKNOWN: "the debug file",
}


_UNWIND_FILES: Final[dict[ModuleType, str]] = {
    ModuleType.ELF: "the library or program itself (stripped or not)",
    ModuleType.MACHO: "the library or program itself (a dSYM does not suffice)",
    ModuleType.PE: "the DLL or EXE itself (for 32 bits the PDB file)",
}


def wanted_file(module_type: ModuleType, *, unwinding: bool = False) -> str:
    """The kind of file that people have to provide for a module, for its names or for unwinding."""
    return _UNWIND_FILES.get(module_type, "a file with unwind information") if unwinding else _FILES[module_type]
