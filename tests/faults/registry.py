#!/usr/bin/env python3
"""What registries and token servers do to a look-up."""
from harness import NEW, OLD, case, main, sent, server
from scripted import on

TAG = "/v2/app/manifests/1.0"
FINE = on("HEAD", TAG, headers={"Docker-Content-Digest": NEW, "Content-Type": "application/vnd.oci.image.index.v1+json"})

CASES = [
    case("a newer digest", {"registry": [FINE]},
         updates=[{"verdict": "update", "candidate": NEW}],
         sent=[sent("registry", "HEAD", TAG, count=1, without="authorization")]),
    case("the same digest", {"registry": [on("HEAD", TAG, headers={"Docker-Content-Digest": OLD, "Content-Type": "application/vnd.oci.image.index.v1+json"})]},
         updates=[{"verdict": "up-to-date"}]),
    case("429 once, then fine",
         {"registry": [on("HEAD", TAG, 429, {"Retry-After": "1"}, times=1), FINE]},
         updates=[{"verdict": "update", "candidate": NEW}],
         sent=[sent("registry", "HEAD", TAG, count=2)]),
    case("TLS with a private authority", {"registry": server([FINE], tls="good")},
         config="version: 1\nregistries:\n  \"{registry}\": {ca: \"{ca}\"}\n",
         updates=[{"verdict": "update", "candidate": NEW}]),
]

if __name__ == "__main__":
    main(CASES)
