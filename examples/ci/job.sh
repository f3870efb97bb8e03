#!/bin/sh
# A CI job. Testing and publishing take the job's token and curl; only the deployment is made by a client that answers
# challenges (`../client`), and only it may read what the runner is registered with at the attester.
#
#   API              where the API takes calls          CLIENT           the client
#   TOKEN_FILE       the job's token                    ATTESTER         where the attester takes requests
#   RUN_ID           what this run is called            CREDENTIAL_FILE  what the runner is registered with there
set -eu

# The token goes in through a pipe: who lists processes sees their arguments.
call() {
    printf 'Authorization: Bearer %s\n' "$(cat "$TOKEN_FILE")" |
        curl --silent --show-error --fail --output /dev/null --noproxy '*' --max-time 10 \
            --header @- --header 'Host: api.example.com' "$@"
}

deploy() {
    "$CLIENT" --resource https://api.example.com --connect "$API" --token-file "$TOKEN_FILE" \
        --attester "$ATTESTER" --credential-file "$CREDENTIAL_FILE" --task "$RUN_ID" POST "/v1/deployments/$1"
}

case "$1" in
test)
    call "$API/v1/builds/$RUN_ID"
    call --request POST --json '{"passed": 412, "failed": 0}' "$API/v1/builds/$RUN_ID/reports"
    ;;
publish)
    call --request PUT --data-binary "@$0" "$API/v1/artifacts/shop-1.4.2.tar.gz"
    ;;
deploy)
    deploy production
    ;;
*)
    echo "job.sh: write test, publish or deploy" >&2
    exit 2
    ;;
esac
