#!/usr/bin/env python3
"""The judge is judged: programs that are wrong in a known way get the verdicts that they deserve."""

import collections
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
import run

# Says yes and writes nothing; says no to all; says no, but writes; dies; never answers.
PROGRAMS = {
    "yes": ('command = ": >$OUT"', {"wrong plaintext": 2, "opened what is refused": 3, "either way": 1}),
    "no": ('command = "exit 1"', {"does not open": 2, "refused": 3, "either way": 1}),
    "talks": ('command = "cp $MESSAGE $OUT; exit 1"', {"does not open": 2, "refused": 3, "either way": 1}),
    "dies": ('command = "kill -SEGV $$"', {"crashed": 6}),
    "dies in a batch": ('batch = "read line; exit 1"', {"crashed": 6}),
    "sleeps": ('command = "sleep 60"', {"too late": 6}),
    "sleeps in a batch": ('batch = "sleep 60"', {"too late": 6}),
    "has no key": ('command = "true"\nidentity = "false"', {"does not open": 2, "refused": 3, "either way": 1}),
    "reads text": ('command = "exit 1"\nforms = ["PEM"]', {"does not open": 2, "refused": 1, "not asked": 3}),
}


def cases():
    """Two files that open, three that must not, one that may: binary all but one."""
    corpus = run.TESTS / "corpus"
    every = run.json.loads((corpus / "index.json").read_text())
    wanted = {("ok", ".der"): 2, ("reject", ".der"): 2, ("reject", ".pem"): 1, ("any", ".der"): 1}
    chosen = []
    for case in every:
        kind = (case["expect"], pathlib.Path(case["message"]).suffix)
        # A cipher out of fashion is another verdict.
        if wanted.get(kind) and not (kind[0] == "reject" and run.BY_CHOICE.search(case["reason"])):
            wanted[kind] -= 1
            chosen.append(case)
    return corpus, chosen


def main():
    run.SECONDS = 0.5
    corpus, chosen = cases()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        identities = run.Identities(work)
        for name, (how, expected) in PROGRAMS.items():
            path = work / f"{name}.toml"
            both = 'forms = ["DER", "PEM"]\n' if "forms" not in how else ""
            path.write_text(f'name = "{name}"\nversion = "true"\n{both}{how}\n')
            peer = run.Peer(path, work)
            judged = [run.judge(peer, corpus, case, identities, work) for case in chosen]
            peer.close()
            found = dict(collections.Counter(verdict for verdict, _ in judged))
            assert found == expected, f"{name}: {found}"
            left = sum(left for _, left in judged)
            assert left == (6 if name == "talks" else 0), f"{name}: {left} left bytes"
        try:
            (work / "absent.toml").write_text('name = "absent"\nversion = "exit 127"\n')
            run.Peer(work / "absent.toml", work)
        except run.Missing:
            pass
        else:
            raise AssertionError("a program that is not there was run")
    print(f"{len(PROGRAMS)} wrong programs have the right verdicts")


if __name__ == "__main__":
    main()
