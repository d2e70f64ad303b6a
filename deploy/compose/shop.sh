#!/bin/sh
# A make-believe shop: a visit a second, one JSON event to a line; every third visitor buys.
visit=0
run=$(date +%s)
while :; do
    visit=$((visit + 1))
    now=$(date +%s)
    click=$(printf '%08x%08x%08x%08x' "$run" "$visit" "$now" 42)
    event() { # NAME PROPERTIES
        printf '{"event":"%s","event_id":"%s-%s-%s","event_time":%s,"url":"https://shop.example/","consent":%s,' \
            "$1" "$run" "$visit" "$1" "$now" '{"ad_storage":"granted"}'
        printf '"user":{"email":"visitor%s@example.com","msclkid":"%s"},"properties":%s}\n' "$visit" "$click" "$2"
    }
    event PageView '{}'
    event ViewContent '{"item_ids":["sku-1"]}'
    if [ $((visit % 3)) -eq 0 ]; then
        event Purchase "{\"value\":79.99,\"currency\":\"USD\",\"transaction_id\":\"$run-$visit\"}"
    fi
    sleep 1
done
