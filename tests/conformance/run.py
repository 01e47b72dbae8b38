#!/usr/bin/env python3
"""Runs a folder of CMS envelopes through programs that decrypt, and says how each one did.

    run.py                          every program of peers/; writes the report
    run.py openssl sdi              these alone; prints the report
    run.py path/to/mine.toml        yours; README.md says what such a file holds

Needs Python 3.11 and openssl.
"""

import argparse
import base64
import collections
import datetime
import email
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
ROOT = TESTS.parent
REPORT = ROOT / "docs" / "conformance.md"
SECONDS = 20
FORMS = {".der": "DER", ".pem": "PEM", ".eml": "SMIME", ".b64": "BASE64", ".txt": "DER"}

# Reasons of refusals that are a choice: the file is sound, and its algorithm is out of fashion.
BY_CHOICE = re.compile("outside the usual set|weak/unsupported|is not supported")


class Missing(Exception):
    """The program is not on this machine."""


class Gone(Exception):
    """The program ended before it answered."""


class Late(Exception):
    """The program took too long."""


def shell(command, **variables):
    """Starts a command line of a peer in a process group of its own."""
    return subprocess.Popen(
        command,
        shell=True,
        cwd=HERE / "peers",
        env=os.environ | {name: str(value) for name, value in variables.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class Peer:
    def __init__(self, path, work):
        self.facts = tomllib.loads(path.read_text())
        self.name = self.facts["name"]
        self.forms = self.facts.get("forms", ["DER"])
        self.work = work / path.stem
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.process = None
        self.stores = {}
        if "setup" in self.facts:
            self.once(self.facts["setup"])
        self.version = self.once(self.facts["version"])

    def once(self, command, **variables):
        """What a command prints. It may take as long as it likes."""
        process = shell(command, WORK=self.work, ROOT=ROOT, **variables)
        out, _ = process.communicate()
        if process.returncode != 0:
            raise Missing(f"`{command}` ends with {process.returncode}")
        return out.decode(errors="replace").strip()

    def store(self, identity):
        """The peer's own store of keys for an identity; None if it does not take the key."""
        if identity not in self.stores:
            folder = self.work / f"store-{identity.name}"
            folder.mkdir(mode=0o700)
            try:
                self.once(self.facts["identity"], STORE=folder, ID=identity)
                self.stores[identity] = folder
            except Missing:
                self.stores[identity] = None
        return self.stores[identity]

    def decrypt(self, message, form, identity, out):
        """True if the peer says that it opened the file, False if it refused it."""
        if "batch" in self.facts:
            return self.ask(f"{message}\t{identity}\t{out}\n")
        store = self.store(identity) if "identity" in self.facts else ""
        if store is None:
            return False
        paths = {"MESSAGE": message, "ID": identity, "OUT": out, "STORE": store}
        process = shell(self.facts["command"], FORM=form, WORK=self.work, ROOT=ROOT, **paths)
        try:
            process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            stop(process)
            raise Late from None
        # A shell adds 128 to the number of the signal.
        if process.returncode < 0 or process.returncode > 128:
            raise Gone
        return process.returncode == 0

    def ask(self, line):
        if self.process is None:
            self.process = shell(self.facts["batch"], WORK=self.work, ROOT=ROOT)
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            if not ready:
                raise Late
            answer = self.process.stdout.readline()
            if not answer:
                raise Gone
            return answer.startswith(b"OK")
        except (Gone, Late, BrokenPipeError) as end:
            stop(self.process)
            self.process = None
            raise Late if isinstance(end, Late) else Gone from None

    def close(self):
        if self.process is not None:
            stop(self.process)
        for store in self.stores.values():
            if store is not None and "close" in self.facts:
                self.once(self.facts["close"], STORE=store)


PKCS12 = (
    "pkcs12 -export -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 "
    "-passout pass:x -name device"
)


def openssl(words, *more):
    subprocess.run(["openssl", *words.split(), *more], check=True, stderr=subprocess.DEVNULL)


class Identities:
    """Key and certificate of a case, in the forms that programs want. The forms are not on trial."""

    def __init__(self, work):
        self.work = work / "identities"
        shutil.rmtree(self.work, ignore_errors=True)
        self.made = {}

    def of(self, corpus, case):
        pair = (corpus / case["key"], corpus / case["cert"])
        if pair not in self.made:
            folder = self.work / str(len(self.made))
            folder.mkdir(parents=True)
            key, cert = pair
            for form in ["PEM", "DER"]:
                end = form.lower()
                openssl("pkcs8 -topk8 -nocrypt -outform", form, "-in", key, "-out", folder / f"key.{end}")
                openssl("x509 -outform", form, "-in", cert, "-out", folder / f"cert.{end}")
            try:
                openssl(PKCS12, "-inkey", key, "-in", cert, "-out", folder / "identity.p12")
            except subprocess.CalledProcessError:
                pass  # The key is not the certificate's.
            self.made[pair] = folder
        return self.made[pair]


def without_armor(message, form):
    """The binary envelope inside a well-formed text."""
    text = message.read_bytes()
    if form == "SMIME":
        return email.message_from_bytes(text).get_payload(decode=True)
    lines = [line.strip() for line in text.splitlines()]
    if form == "PEM":
        begin = next(at for at, line in enumerate(lines) if line.startswith(b"-----BEGIN"))
        end = next(at for at, line in enumerate(lines) if line.startswith(b"-----END"))
        lines = lines[begin + 1 : end]
    return base64.b64decode(b"".join(lines))


def judge(peer, corpus, case, identities, scratch):
    """One case for one peer: the verdict, and whether a refusal left bytes behind."""
    message, expect = corpus / case["message"], case["expect"]
    form = FORMS[message.suffix]
    if form not in peer.forms:
        if expect != "ok":
            return "not asked", False
        binary = scratch / "message.der"
        binary.write_bytes(without_armor(message, form))
        message, form = binary, "DER"
    out = scratch / "out"
    out.unlink(missing_ok=True)
    try:
        opened = peer.decrypt(message, form, identities.of(corpus, case), out)
    except Gone:
        return "crashed", False
    except Late:
        return "too late", False
    bytes_out = out.read_bytes() if out.exists() else b""
    if not opened:
        right = {"ok": "does not open", "any": "either way"}.get(expect, "refused")
        return right, bool(bytes_out)
    if expect == "any":
        return "either way", False
    if expect == "ok":
        right = bytes_out == (corpus / case["plain"]).read_bytes()
        return "opened" if right else "wrong plaintext", False
    choice = BY_CHOICE.search(case["reason"])
    return "opens more" if choice else "opened what is refused", False


COLUMNS = [
    ("opened", "opened right"),
    ("does not open", "does not open"),
    ("wrong plaintext", "wrong plaintext"),
    ("refused", "refused right"),
    ("opened what is refused", "opened what must be refused"),
    ("opens more", "opened, which is a choice"),
    ("either way", "either way"),
    ("crashed", "crashed"),
    ("too late", f"over {SECONDS} s"),
    ("not asked", "not asked"),
]


def run(peer, corpora, identities, scratch):
    """All verdicts of a peer: by corpus, a list of case, verdict, and whether bytes were left."""
    results = {}
    try:
        for corpus in corpora:
            cases = json.loads((corpus / "index.json").read_text())
            results[corpus] = [
                (case, *judge(peer, corpus, case, identities, scratch)) for case in cases
            ]
    finally:
        peer.close()
    return results


def table(corpus, done):
    rows = ["| program | " + " | ".join(title for _, title in COLUMNS) + " | bytes left by a refusal |"]
    rows.append("|---" * (len(COLUMNS) + 2) + "|")
    for name, _, results in done:
        verdicts = collections.Counter(verdict for _, verdict, _ in results[corpus])
        left = sum(left for _, _, left in results[corpus])
        cells = [str(verdicts[column] or "") for column, _ in COLUMNS]
        rows.append(f"| {name} | " + " | ".join(cells) + f" | {left or ''} |")
    return rows


AXES = ["content_type", "key_alg", "kt", "ka", "kdf", "wrap", "content_enc", "rid", "mixed"]


def gaps(results):
    """What a peer never opened, of what has to open: the values of the index's axes."""
    sound = [(case, verdict) for case, verdict, _ in results if case["expect"] == "ok"]
    for axis in AXES:
        values = collections.defaultdict(list)
        for case, verdict in sound:
            value = case.get(axis)
            if value is not None:
                # The hashes of OAEP are one gap.
                values[value.split("(")[0]].append(verdict == "opened")
        never = [
            f"{value} ({len(opened)})" for value, opened in sorted(values.items()) if not any(opened)
        ]
        if never:
            yield f"{axis}: {', '.join(never)}"


def remarks(results):
    lines = [f"opens none of {gap}" for gap in gaps(results)]
    serious = ["opened what is refused", "wrong plaintext", "crashed", "too late"]
    titles = dict(COLUMNS)
    for verdict in serious:
        found = [(case["id"], case.get("reason")) for case, found, _ in results if found == verdict]
        by_reason = collections.defaultdict(list)
        for name, reason in found:
            by_reason[reason].append(name)
        for reason, names in by_reason.items():
            shown = ", ".join(f"`{name}`" for name in names[:3]) + (" .." if len(names) > 3 else "")
            why = f" ({reason})" if reason else ""
            lines.append(f"{titles[verdict]}, {len(names)}: {shown}{why}")
    return lines


def report(corpora, done, missing):
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines = [
        "# Conformance: what programs make of the corpus",
        "",
        f"Written by `tests/conformance/run.py` on {today}; do not edit. What the columns mean, and how to try a",
        "program of your own, stands in [tests/conformance/README.md](../tests/conformance/README.md).",
        "",
    ]
    for corpus in corpora:
        cases = json.loads((corpus / "index.json").read_text())
        expected = collections.Counter(case["expect"] for case in cases)
        lines += [
            f"## {corpus.relative_to(ROOT) if corpus.is_relative_to(ROOT) else corpus}",
            "",
            f"{len(cases)} files: {expected['ok']} have to open, "
            f"{expected['reject'] + expected['plain']} have to be refused, "
            f"and with {expected['any']} either will do.",
            "",
            *table(corpus, done),
            "",
        ]
    lines += ["## Program by program", ""]
    for name, version, results in done:
        lines += [f"### {name}", "", version, ""]
        said = [
            f"- {corpus.name}: {remark}" for corpus in corpora for remark in remarks(results[corpus])
        ]
        lines += [*(said or ["All is as expected."]), ""]
    if missing:
        lines += ["## Not run", ""] + [f"- {name}: {why}" for name, why in missing] + [""]
    return "\n".join(lines)


def main():
    plain = argparse.RawDescriptionHelpFormatter
    options = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    options.add_argument("peer", nargs="*", help="a name in peers/, or the path of a .toml file")
    options.add_argument("--corpus", action="append", type=pathlib.Path, help="a folder with an index.json")
    options.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "conformance")
    options.add_argument("--strict", action="store_true", help="fail unless every verdict is the expected one")
    options = options.parse_args()

    corpora = options.corpus or [TESTS / "corpus", TESTS / "corpus-modern"]
    corpora = [corpus.resolve() for corpus in corpora]
    paths = [
        pathlib.Path(name).resolve() if name.endswith(".toml") else HERE / "peers" / f"{name}.toml"
        for name in options.peer
    ]
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    identities, done, missing = Identities(work), [], []
    for path in paths or sorted((HERE / "peers").glob("*.toml")):
        try:
            peer = Peer(path, work)
        except Missing as why:
            missing.append((path.stem, str(why)))
            print(f"{path.stem}: not here: {why}", file=sys.stderr)
            continue
        print(f"{peer.name}: {peer.version}", file=sys.stderr)
        done.append((peer.name, peer.version, run(peer, corpora, identities, work)))

    text = report(corpora, done, missing)
    if options.peer:
        print(text)
    else:
        REPORT.write_text(text)
        print(f"{REPORT.relative_to(ROOT)} is written", file=sys.stderr)
    good = {"opened", "refused", "either way"}
    wrong = [
        f"{name}: {case['id']}: {verdict}"
        for name, _, results in done
        for verdicts in results.values()
        for case, verdict, left in verdicts
        if verdict not in good or left
    ]
    if options.strict and (wrong or missing):
        sys.exit("\n".join(wrong) or "a program is missing")


if __name__ == "__main__":
    main()
