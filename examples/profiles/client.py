#!/usr/bin/env python3
"""A client that answers one challenge of an API behind stepgate: it calls, reads what the 401 asks for, has its platform
vouch for it, proves what there is to prove, and calls again. README.md says what each way is for.

    python3 client.py github POST /v1/deployments/production --token-file ci.token \\
        --platform "$ACTIONS_ID_TOKEN_REQUEST_URL" --credential-file request.token

It takes the same arguments as the client in Rust. `pip install -r requirements.txt` has what it needs. Copy it, and
leave out the ways that your workload does not go.
"""

import argparse
import base64
import hashlib
import http.client
import json
import secrets
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# The codes of a 401 that evidence would change.
ANSWERABLE = {"use_attestation_challenge", "use_fresh_attestation", "use_dpop_nonce"}
PATIENCE_SECONDS = 10
# How long a proof that says when it ends may be shown; an API takes no longer than a minute.
WPT_SECONDS = 30


class Failure(Exception):
    """Why there is no answer; its text is for people."""


# --- Where the attestation comes from: one function for each platform --------------------------------------------------
#
# These ask as the real ones are asked; in the example it is `../platforms` that answers. `asked` says what the attestation
# has to be good for: the challenge, the audience with the challenge behind it, our public key, our certificate's digest.


def attester(platform, asked):
    """It vouches for our key, and may be kept as long as it is fresh: the challenge stands in our proof."""
    body = {"jwk": asked["jwk"], "task": asked["task"], "scope": asked["scope"]}
    return member(platform.post(body), "attestation")


def github(platform, asked):
    """The URL is the job's ACTIONS_ID_TOKEN_REQUEST_URL, the credential its ACTIONS_ID_TOKEN_REQUEST_TOKEN; a job has both
    with `permissions: { id-token: write }`."""
    return member(json.loads(platform.get({"audience": asked["audience"]})), "value")


def kubernetes(platform, asked):
    """A TokenRequest. The URL is https://kubernetes.default.svc/api/v1/namespaces/NAMESPACE/serviceaccounts/NAME/token, the
    credential is the pod's own token; its service account needs the verb `create` on `serviceaccounts/token`."""
    spec = {"audiences": [asked["audience"]], "expirationSeconds": 600}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return member(platform.post(request), "status", "token")


def google(platform, asked):
    """The URL is http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity."""
    query = {"audience": asked["audience"], "format": "full"}
    return platform.get(query, {"Metadata-Flavor": "Google"}).strip()


def spiffe(platform, asked):
    """In production the agent is asked over its socket: `WorkloadApiClient().fetch_jwt_svid(audience={...}).token` of the
    package `spiffe`, with this audience."""
    return platform.get({"audience": asked["audience"]}).strip()


def projected(platform, _asked):
    """The cluster keeps the file fresh, so it is read each time."""
    return Path(platform.at).read_text().strip()


def edge(platform, asked):
    """It vouches for whoever holds our certificate."""
    if not asked["certificate"]:
        raise Failure("this way takes a client certificate")
    members = {"x5t#S256": asked["certificate"], "nonce": asked["challenge"]}
    return member(platform.post(members | {"task": asked["task"], "scope": asked["scope"]}), "attestation")


def verifier(platform, asked):
    """A real verifier is sent evidence too: a quote of the hardware over our key and the challenge."""
    return member(platform.post({"jwk": asked["jwk"], "nonce": asked["challenge"]}), "attestation")


def member(answer, *names):
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, str):
        raise Failure(f"the platform answered without `{'/'.join(names)}`")
    return answer


class Platform:
    """Who vouches for this workload."""

    def __init__(self, at, credential, ca):
        self.at = at
        self.credential = credential
        context = ssl.create_default_context(cafile=ca)
        # No proxy of the environment: what it would see is our credential.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def get(self, query, headers=None):
        # urlencode writes `#` as `%23`: as it stands, it would end the query.
        separator = "&" if "?" in self.at else "?"
        return self._send(self.at + separator + urllib.parse.urlencode(query), None, headers or {})

    def post(self, body):
        return json.loads(self._send(self.at, json.dumps(body).encode(), {"Content-Type": "application/json"}))

    def _send(self, url, body, headers):
        if self.credential:
            headers = headers | {"Authorization": f"Bearer {self.credential}"}
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with self.opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.read().decode()
        except OSError as why:
            raise Failure(f"the platform: {why}") from why


# --- The three kinds of proof, each good for one call, once ------------------------------------------------------------


class InstanceKey:
    """Made at the start of this process, gone with it."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)

    def dpop(self, call):
        """RFC 9449 section 4.2. It brings our public key along."""
        claims = {"htm": call["method"], "htu": call["url"], "iat": int(time.time()), "nonce": call["challenge"]}
        return self._sign({"typ": "dpop+jwt", "jwk": self.public}, claims, call)

    def pop(self, call):
        """draft-ietf-oauth-attestation-based-client-auth, with the claims of DPoP that tie it to one call."""
        claims = {"aud": call["resource"], "htm": call["method"], "htu": call["url"], "iat": int(time.time())}
        claims["challenge"] = call["challenge"]
        return self._sign({"typ": "oauth-client-attestation-pop+jwt"}, claims, call)

    def wpt(self, call):
        """draft-ietf-wimse-wpt."""
        claims = {"aud": call["url"], "exp": int(time.time()) + WPT_SECONDS, "wth": sha256(call["attestation"].encode())}
        claims["challenge"] = call["challenge"]
        return self._sign({"typ": "wpt+jwt"}, claims, call)

    def _sign(self, header, claims, call):
        claims |= {"jti": secrets.token_urlsafe(16), "ath": sha256(call["token"].encode())}
        return jwt.encode(claims, self.private, algorithm="ES256", headers=header)


def sha256(octets):
    """As digests stand in tokens: of a token by its letters, of a certificate by its DER bytes."""
    return base64url(hashlib.sha256(octets).digest())


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


# --- The ways: profile, header of the attestation, where it comes from, header of the proof, and what makes it -----------
#
# The profile is what the policy and the `accept` of a challenge call it; a policy may name another header than X-Attestation.

WAYS = {
    "client-attestation": ("oauth-client-attestation", "OAuth-Client-Attestation", attester, "DPoP", InstanceKey.dpop),
    "client-attestation-pop": (
        "oauth-client-attestation",
        "OAuth-Client-Attestation",
        attester,
        "OAuth-Client-Attestation-PoP",
        InstanceKey.pop,
    ),
    "wimse": ("wimse", "Workload-Identity-Token", attester, "Workload-Proof-Token", InstanceKey.wpt),
    "github": ("jwt", "X-Attestation", github, None, None),
    "kubernetes": ("jwt", "X-Attestation", kubernetes, None, None),
    "google": ("jwt", "X-Attestation", google, None, None),
    "spiffe": ("jwt", "X-Attestation", spiffe, None, None),
    "projected": ("jwt", "X-Attestation", projected, None, None),
    "certificate": ("jwt", "X-Attestation", edge, None, None),
    "ear": ("ear", "X-Attestation", verifier, "DPoP", InstanceKey.dpop),
}


# --- The client --------------------------------------------------------------------------------------------------------


class Client:
    def __init__(self, arguments):
        self.arguments = arguments
        self.token = read(arguments.token_file)
        credential = arguments.credential_file and read(arguments.credential_file)
        self.platform = Platform(arguments.platform, credential, arguments.platform_ca)
        self.key = InstanceKey()
        # Whose name stands here is never taken from an answer: else whoever answers could have proofs made for another API.
        self.resource = arguments.resource.rstrip("/")
        self.context = ssl.create_default_context(cafile=arguments.ca)
        if arguments.certificate:
            self.context.load_cert_chain(arguments.certificate)

    def call(self):
        """Makes the call; a challenge is answered on the way. Returns status and body."""
        status, body = self.send({})
        problem = problem_of(status, body)
        if problem is None:
            return status, body
        return self.send(self.evidence(problem["challenge"], problem.get("accept", [])))

    def evidence(self, challenge, accepted):
        """The headers that answer a challenge: the attestation, and the proof that it is ours."""
        arguments = self.arguments
        profile, header, obtain, proof_header, prove = WAYS[arguments.way]
        ours = [name.lower() for name in (header, proof_header) if name]
        known = [(way["profile"], [name.lower() for name in way["headers"]]) for way in accepted]
        if (profile, ours) not in known:
            raise Failure(f"the API takes no attestation in this way; it takes {known}")
        attestation = obtain(
            self.platform,
            {
                "challenge": challenge,
                # Where a workload can choose nothing else of what is signed for it, the challenge stands here.
                "audience": f"{arguments.audience}#{challenge}",
                "jwk": self.key.public,
                "certificate": arguments.certificate and thumbprint(arguments.certificate),
                "task": arguments.task,
                "scope": arguments.scope,
            },
        )
        headers = {header: attestation}
        if prove:
            call = {"method": arguments.method, "resource": self.resource, "url": self.resource + arguments.path}
            call |= {"token": self.token, "attestation": attestation, "challenge": challenge}
            headers[proof_header] = prove(self.key, call)
        return headers

    def send(self, evidence):
        resource = urllib.parse.urlsplit(self.resource)
        connect = urllib.parse.urlsplit(self.arguments.connect or self.resource)
        connection = self.connection(connect, resource.hostname)
        headers = {"Host": resource.netloc, "Authorization": f"Bearer {self.token}"} | evidence
        try:
            connection.request(self.arguments.method, self.arguments.path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as why:
            raise Failure(f"the API: {why}") from why
        finally:
            connection.close()

    def connection(self, connect, name):
        """A connection to the address, to whom has the name. http.client follows no redirects and knows no proxies."""
        if connect.scheme == "http":
            return http.client.HTTPConnection(connect.hostname, connect.port, timeout=PATIENCE_SECONDS)
        return NamedConnection((connect.hostname, connect.port or 443), name, self.context)


class NamedConnection(http.client.HTTPSConnection):
    """TLS to an address whose certificate has the name of the API, and not of that address."""

    def __init__(self, address, name, context):
        super().__init__(name, timeout=PATIENCE_SECONDS, context=context)
        self.address = address
        self.tls = context

    def connect(self):
        plain = socket.create_connection(self.address, self.timeout)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)


def problem_of(status, body):
    """What a 401 asks for (RFC 9457), if there is anything to answer it with; `code` is what a program goes by."""
    if status != 401:
        return None
    try:
        problem = json.loads(body)
    except ValueError:
        return None
    answerable = isinstance(problem, dict) and problem.get("code") in ANSWERABLE and problem.get("challenge")
    return problem if answerable else None


def thumbprint(file):
    """The digest of the first certificate in a PEM file (RFC 8705 section 3.1)."""
    certificate = x509.load_pem_x509_certificates(Path(file).read_bytes())[0]
    return base64url(certificate.fingerprint(hashes.SHA256()))


def read(file):
    return Path(file).read_text().strip()


def parse():
    parser = argparse.ArgumentParser(description="Calls an API behind stepgate, and answers its challenge.")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("method")
    parser.add_argument("path", help="without a query")
    parser.add_argument("--resource", default="https://api.example.com", help="the API's own name")
    parser.add_argument("--connect", help="where calls are sent [default: the resource]")
    parser.add_argument("--token-file", required=True, help="a file with the access token")
    parser.add_argument("--platform", required=True, help="the platform's URL; of a projected token, its file")
    parser.add_argument("--credential-file", help="a file with what the platform knows this workload by")
    parser.add_argument("--audience", default="stepgate", help="one of the policy's `audiences`")
    parser.add_argument("--task", help="what the call is for, such as the number of a run")
    parser.add_argument("--scope", help="the scopes that the attestation is to cover")
    parser.add_argument("--certificate", help="a PEM file with the client certificate and its key")
    parser.add_argument("--ca", help="a PEM file with what the API's certificate hangs on [default: the system's]")
    parser.add_argument("--platform-ca", help="the same of the platform")
    return parser.parse_args()


def main():
    try:
        status, body = Client(parse()).call()
    except (Failure, OSError) as why:
        print(f"client.py: {why}", file=sys.stderr)
        return 1
    print(status, body)
    return 0 if 200 <= status < 300 else 1


if __name__ == "__main__":
    sys.exit(main())
