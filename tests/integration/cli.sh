#!/usr/bin/env bash
# The `fluvio` command from outside: the same cases against Apache Kafka and against our own server, then what only one of them
# has, and what is wrong on the command line. BUILD=build/release
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
fluvio=$PWD/$BUILD/fluvio
work=$(mktemp -d "${TMPDIR:-/tmp}/fluvio-cli-XXXXXX")
export HOME=$work/home XDG_CONFIG_HOME='' XDG_DATA_HOME='' FLUVIO_PROFILE=''
mkdir -p "$HOME"
node=tests/support/kafka-node
area=cli
passed=0 failed=0

finish() {
    "$node" stop "$work/kafka" >/dev/null 2>&1
    tests/support/spu kill "$work/sasl" 2>/dev/null
    "$fluvio" cluster shutdown -q >/dev/null 2>&1
    "$fluvio" cluster shutdown -q --dir "$work/tls" >/dev/null 2>&1
    find "$work/local" -name spu.pid -exec cat {} + 2>/dev/null | xargs -r kill 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

tell() { # GOOD NAME
    if [ "$1" = yes ]; then
        passed=$((passed + 1))
        echo "ok   $area/$2"
    else
        failed=$((failed + 1))
        echo "FAIL $area/$2"
    fi
}

# check NAME EXIT TEXT COMMAND...: it ends with that code, and TEXT stands in what it writes.
check() {
    local name=$1 expected=$2 text=$3 got=0
    shift 3
    timeout 25 "$@" >"$work/out" 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$expected" ] && { [ -z "$text" ] || grep -qF -- "$text" "$work/out"; }; then
        tell yes "$name"
    else
        tell no "$name"
        echo "exit $got instead of $expected, or not said: $text"
        cat "$work/out"
    fi
}

# same NAME EXPECTED COMMAND...: its stdout is exactly that, and it ends well.
same() {
    local name=$1 expected=$2 got status=0
    shift 2
    got=$(timeout 25 "$@" 2>"$work/err" </dev/null) || status=$?
    if [ $status -eq 0 ] && [ "$got" = "$expected" ]; then
        tell yes "$name"
    else
        tell no "$name"
        printf 'exit %s, got:\n%s\ninstead of:\n%s\n' $status "$got" "$expected"
        cat "$work/err"
    fi
}

until_said() { # TEXT COMMAND...: again until it writes TEXT; false after 20 s
    local text=$1 deadline=$((SECONDS + 20))
    shift
    until "$@" 2>&1 | grep -qF -- "$text"; do
        [ $SECONDS -lt $deadline ] || return 1
    done
}

produce() { # TEXT FLAGS...: the text is the input
    printf '%s' "$1" | timeout 25 "$fluvio" produce "${@:2}"
}
topics() {
    check "a topic is created" 0 "topic orders created" "$fluvio" topic create orders -p 3 --retention-time 7d
    check "a dry run creates nothing" 0 "could be created" "$fluvio" topic create ghost --dry-run
    check "one that exists is not created again" 1 "it exists already" "$fluvio" topic create orders
    same "topics are listed as JSON" '["orders",3,1]' \
        sh -c "'$fluvio' topic list -O json | jq -c '.[] | [.topic, .partitions, .replicas]'"
    check "and as a table" 0 "orders           3         1  ok" "$fluvio" topic list
    check "a setting is shown where it differs" 0 "604800000" "$fluvio" topic describe orders
    same "settings are in their order" true sh -c "'$fluvio' topic describe orders -O json | jq '[.[0].settings[].name] | . == sort and length > 10'"
    check "a setting is changed, others stay" 0 "altered" "$fluvio" topic alter orders --config max.message.bytes=900000
    same "both are there" '"604800000" "900000"' sh -c "'$fluvio' topic describe orders -O json |
        jq -r '[.[0].settings[] | select(.name == \"retention.ms\" or .name == \"max.message.bytes\") | .value | tojson] | sort | join(\" \")'"
    check "a setting goes back to its default" 0 "altered" "$fluvio" topic alter orders --unset max.message.bytes
    check "a setting's value is checked by the server" 1 "retention.ms" "$fluvio" topic alter orders --config retention.ms=abc
    check "an unknown setting is refused" 1 "no.such" "$fluvio" topic alter orders --config no.such=1
    check "nor is one unset that is none" 1 'no setting `retention.mss`, did you mean `retention.ms`?' "$fluvio" topic alter orders --unset retention.mss
    check "a setting is set or unset, not both" 2 'changed only once' "$fluvio" topic alter orders --config retention.ms=1 --unset retention.ms
    check "a name that is given twice" 2 '`twice` is named twice' "$fluvio" topic create twice twice
    same "creates nothing" 0 sh -c "'$fluvio' topic list -O json | jq '[.[] | select(.topic == \"twice\")] | length'"
    check "partitions are added" 0 "altered" "$fluvio" topic alter orders -p 4
    check "partitions are never removed" 3 "never removed" "$fluvio" topic alter orders -p 2
    check "the nearest name is told" 1 'did you mean `orders`?' "$fluvio" topic describe ordrs
    check "what is not there is not deleted" 1 'no topic `ordres`' "$fluvio" topic delete orders ordres
    same "and neither are the others" orders sh -c "'$fluvio' topic list -O json | jq -r '.[].topic'"
    check "the servers' own topics are refused" 3 "belongs to the servers" "$fluvio" topic delete __consumer_offsets
}

records() {
    "$fluvio" topic create -q one big bin
    produce "$(seq 1 5)" one && tell yes "lines are produced" || tell no "lines are produced"
    same "and consumed" $'1\n2\n3\n4\n5' "$fluvio" consume one -B -d
    same "the last two" $'4\n5' "$fluvio" consume one -T 2 -d
    same "from two after the first, at most two" $'3\n4' "$fluvio" consume one -H 2 -n 2
    same "from offset to offset" $'2\n3' "$fluvio" consume one -p 0 --start 1 --end 2
    same "as a template" $'0:1\n1:2' "$fluvio" consume one -B -n 2 -F '{{offset}}:{{value}}'
    same "nothing is newer than now" '' "$fluvio" consume one --from-time 0ms -d
    same "a time long ago is the beginning" 1 "$fluvio" consume one --from-time 2020-01-01T00:00:00Z -n 1
    printf 'b=\0\1\377' | "$fluvio" produce bin --key-separator = -H kind=test -H n=2
    same "a record as JSON" '{"key":"b","value":{"hex":"0001ff"},"headers":[{"name":"kind","value":"test"},{"name":"n","value":"2"}]}' \
        sh -c "'$fluvio' consume bin -B -d -O json | jq -c '{key, value, headers}'"
    check "bytes that are no text are dumped" 0 "00000000  00 01 ff" "$fluvio" consume bin -B -d -k
    same "raw bytes come out as they went in" "$(printf '\0\1\377' | md5sum)" sh -c "'$fluvio' consume bin -B -d -O raw | md5sum"
    head -c 700000 /dev/urandom >"$work/blob"
    "$fluvio" produce big --raw -f "$work/blob" --compression zstd
    same "a file is one record" "$(md5sum <"$work/blob")" sh -c "'$fluvio' consume big -B -d -O raw | md5sum"
    check "a record that is too large names the setting" 1 "larger than the topic takes (max.message.bytes)" \
        sh -c "cat '$work/blob' '$work/blob' | '$fluvio' produce big --raw"
    "$fluvio" topic create -q states --cleanup-policy compact
    check "a compacted topic wants keys" 1 "a compacted topic takes only records with keys: --key, --key-separator" sh -c "echo x | '$fluvio' produce states"
    "$fluvio" topic delete -q states
    check "a tombstone has no value" 0 '' "$fluvio" produce bin --key b --tombstone
    same "which is shown" '[null]' "$fluvio" consume bin -T 1 -d
    produce $'k=1\nno separator\nk=2\n' bin --key-separator = >"$work/out" 2>&1
    [ $? -eq 1 ] && grep -qF '1 line without the separator `=` left out; 2 records delivered' "$work/out" && tell yes "a line without its separator is told" ||
        tell no "a line without its separator is told"
    check "a topic that is not there is no typing error made true" 1 'no topic `onne`' sh -c "echo x | '$fluvio' produce onne"
    same "it was not created either" 0 sh -c "'$fluvio' topic list -O json | jq '[.[] | select(.topic == \"onne\")] | length'"
    check "a partition that is not there" 1 "no partition 7, only 0 to 0" "$fluvio" consume one -p 7 -B -d
    keys=$(seq 1 200 | sed 's/.*/k&=&/')
    produce "$keys" orders --key-separator = --compression lz4
    same "all partitions are read" "$(seq 1 200 | sort)" sh -c "'$fluvio' consume orders -B -d | sort"
    same "partitions list their offsets" 200 sh -c "'$fluvio' partition list orders -O json | jq '[.[].records] | add'"
    same "topics in their order" true sh -c "'$fluvio' partition list -O json | jq '[.[].topic] | . == sort and length > 6'"
    same "and their sizes" true sh -c "'$fluvio' partition list orders -O json | jq '[.[].size] | all(. > 0)'"
    check "a closed stdin is no input" 1 "stdin: Bad file descriptor" sh -c "'$fluvio' produce one <&-"
    check "a folder is no input" 2 "$work: Is a directory" "$fluvio" produce one -f "$work"
    # Whose reader wants no more says nothing of it, and commits what it has printed only.
    "$fluvio" topic create -q much
    seq 200000 | "$fluvio" produce much
    same "a reader may have enough" $'1\n0 0' bash -c "'$fluvio' consume much -B | head -n 1; echo \"\${PIPESTATUS[*]}\""
    same "also a member of a group" $'1\n0 0\nyes' bash -c "'$fluvio' consume much -B -d -g enough 2>&1 | head -n 1; echo \"\${PIPESTATUS[*]}\"
        '$fluvio' consumer describe enough -o json | jq -r 'if (.[0].partitions[0].committed // 0) < 100000 then \"yes\" else \"no\" end'"
    check "a full disk is told" 1 "stdout: No space left" sh -c "'$fluvio' consume much -B -d >/dev/full"
    check "by lists, too" 1 "stdout: " sh -c "'$fluvio' topic list >/dev/full"
    "$fluvio" topic delete -q much
    "$fluvio" consumer delete -q enough
    (
        mkfifo "$work/fifo.$area"
        "$fluvio" produce one <"$work/fifo.$area" &
        pid=$!
        exec 8>"$work/fifo.$area"
        echo a >&8
        until_said a "$fluvio" consume one -T 1 -d
        kill -TERM $pid
        wait $pid
    ) >"$work/out" 2>&1 && tell yes "SIGTERM ends produce after what was read" || tell no "SIGTERM ends produce after what was read"
    "$fluvio" consume one -B >"$work/follow" 2>&1 &
    local pid=$!
    until_said a cat "$work/follow" && kill -INT $pid
    wait $pid && tell yes "SIGINT ends consume well" || tell no "SIGINT ends consume well"
}

groups() {
    same "a group reads all" "$(seq 1 200 | sort)" sh -c "'$fluvio' consume orders -B -d -g billing | sort"
    same "and nothing twice" '' "$fluvio" consume orders -d -g billing
    check "groups are listed" 0 "billing" "$fluvio" consumer list
    same "it has no lag" 0 sh -c "'$fluvio' consumer describe billing -O json | jq '[.[0].partitions[].lag] | add'"
    check "a dry run moves nothing" 0 "nothing was changed" "$fluvio" consumer reset billing --to earliest --dry-run
    same "still no lag" 0 sh -c "'$fluvio' consumer describe billing -O json | jq '[.[0].partitions[].lag] | add'"
    check "a group is moved to the beginning" 0 "offsets are set" "$fluvio" consumer reset billing --to earliest
    same "all is to be read again" 200 sh -c "'$fluvio' consumer describe billing -O json | jq '[.[0].partitions[].lag] | add'"
    "$fluvio" consumer reset billing -q --to latest >/dev/null
    check "by a shift, in one partition" 0 "offsets are set" "$fluvio" consumer reset billing --shift=-3 -t orders:1
    same "three are to be read again" 3 sh -c "'$fluvio' consumer describe billing -O json | jq '[.[0].partitions[].lag] | add'"
    check "to a time" 0 "offsets are set" "$fluvio" consumer reset billing --to 2020-01-01T00:00:00Z
    check "outside of the log means its end" 0 "offsets are set" "$fluvio" consumer reset billing --to 999999999
    same "which has no lag" 0 sh -c "'$fluvio' consumer describe billing -O json | jq '[.[0].partitions[].lag] | add'"
    "$fluvio" consume orders -g billing >"$work/follow" 2>&1 &
    local pid=$!
    until_said Stable "$fluvio" consumer list && tell yes "a member is seen" || tell no "a member is seen"
    check "an active group is not moved" 3 "is active" "$fluvio" consumer reset billing --to earliest
    check "nor deleted" 3 "the group is active" "$fluvio" consumer delete billing
    kill -INT $pid
    wait $pid
    check "an empty one is deleted" 0 "deleted" "$fluvio" consumer delete billing
    check "and is gone" 1 "there is no such group" "$fluvio" consumer describe billing
}

# Not of consumers: what Kafka Connect's workers are in.
other_groups() {
    local member=''
    mkfifo "$work/member.$area"
    tests/support/join-group "$bootstrap" workers connect <"$work/member.$area" >"$work/member" 2>&1 &
    exec 8>"$work/member.$area"
    until_said join-group cat "$work/member" && member=$(cat "$work/member")
    same "groups of other types are listed" '["workers","connect","Stable",1]' \
        sh -c "'$fluvio' consumer list -o json | jq -c '.[] | select(.group == \"workers\") | [.group, .type, .state, .members]'"
    check "with their type" 0 "workers  connect  Stable        1  default" "$fluvio" consumer list
    check "described, they share no partitions" 0 "Stable, 1 member of type connect, which share no partitions" "$fluvio" consumer describe workers
    check "but have members" 0 "join-group  127.0.0.1  $member" "$fluvio" consumer describe workers
    check "nor have they offsets" 3 "is of type connect, not of consumers" "$fluvio" consumer reset workers --to earliest
    check "one with members is not deleted" 3 "the group is active" "$fluvio" consumer delete workers
    exec 8>&-
    wait $!
    check "without, it is empty" 0 "Group workers: Empty, 0 members" "$fluvio" consumer describe workers
    check "and deleted" 0 "group workers deleted" "$fluvio" consumer delete workers
    same "then it is gone" '[]' sh -c "'$fluvio' consumer list -o json"
    check "a group that nobody was in has no type" 0 "fresh  -     Empty        0" \
        sh -c "'$fluvio' consumer reset -q fresh --to earliest -t orders >/dev/null && '$fluvio' consumer list && '$fluvio' consumer delete fresh"
}

the_rest() {
    check "the cluster's state" 0 "0 without leader" "$fluvio" cluster status
    check "the server's protocol" 0 "protocol as of Kafka 4" "$fluvio" version
    check "a report is collected" 0 "report.tar.gz" "$fluvio" cluster diagnostics -f "$work/$area.report.tar.gz"
    same "with the topics, and without trouble" '[]' sh -c "tar xzOf '$work/$area.report.tar.gz' --wildcards '*/errors.json'"
    same "it is a whole archive" 1 sh -c "tar tzf '$work/$area.report.tar.gz' | grep -c topics.json"
    check "topics are deleted" 0 "topic one deleted" "$fluvio" topic delete one orders big bin
    until_said '[]' "$fluvio" topic list -O json && tell yes "none is left" || tell no "none is left"
}

# shellcheck source=tests/support/cli-consume.bash
. tests/support/cli-consume.bash
all_cases() {
    topics
    records
    groups
    other_groups
    lost_topics
    beyond_the_end
    the_rest
}

# --- Apache Kafka, with access control and a SASL listener -----------------------------------------------------------------------

area=cli-kafka
start_kafka() {
    local plain sasl controller
    "$node" start "$work/kafka" authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer \
        "super.users=User:ANONYMOUS;User:ada;User:bob" sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN \
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT >/dev/null || return 1
    "$node" stop "$work/kafka" || return 1
    plain=$(sed -n 's/^listeners=PLAINTEXT:\/\/127.0.0.1:\([0-9]*\),.*/\1/p' "$work/kafka/server.properties")
    controller=$(sed -n 's/^listeners=.*CONTROLLER:\/\/127.0.0.1:\([0-9]*\)$/\1/p' "$work/kafka/server.properties")
    sasl=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
    sed -i -e "s|^listeners=.*|listeners=PLAINTEXT://127.0.0.1:$plain,SASL://127.0.0.1:$sasl,CONTROLLER://127.0.0.1:$controller|" \
        -e "s|^advertised.listeners=.*|advertised.listeners=PLAINTEXT://127.0.0.1:$plain,SASL://127.0.0.1:$sasl|" \
        "$work/kafka/server.properties"
    for mechanism in scram-sha-256 scram-sha-512; do
        echo "listener.name.sasl.$mechanism.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
    done >>"$work/kafka/server.properties"
    echo "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_carl=\"pencil,=\";" \
        >>"$work/kafka/server.properties"
    "$node" again "$work/kafka" >/dev/null || return 1
    bootstrap=127.0.0.1:$plain
    sasl_bootstrap=127.0.0.1:$sasl
}

access() { # OTHERS: users that there are besides, as JSON, or '[]'
    local others=$1
    echo 'pencil,=' >"$work/password"
    check "a user is added" 0 "has a password" "$fluvio" user add ada --password-file "$work/password"
    check "and one for the longer hash" 0 "has a password" "$fluvio" user add bob --password-file "$work/password" \
        --mechanism SCRAM-SHA-512
    until_said ada "$fluvio" user list && until_said bob "$fluvio" user list
    same "users are listed" '["ada","bob"]' sh -c "'$fluvio' user list -O json | jq -c '[.[].user] - $others | unique'"
    # Our own connection logs in by SCRAM; librdkafka before 2.6.1 cannot, as Kafka 4 refuses its nonce.
    "$fluvio" profile add -q --replace ada "$sasl_bootstrap" --user ada --stay --password-file "$work/password"
    "$fluvio" profile add -q --replace bob "$sasl_bootstrap" --user bob --stay --password-file "$work/password" --mechanism SCRAM-SHA-512
    echo wrong >"$work/wrong"
    "$fluvio" profile add -q --replace eve "$sasl_bootstrap" --user ada --stay --password-file "$work/wrong"
    until_said SCRAM "$fluvio" user list --profile ada
    check "log in by SCRAM-SHA-256" 0 "ada" "$fluvio" user list --profile ada
    check "log in by SCRAM-SHA-512" 0 "bob" "$fluvio" user list --profile bob
    "$fluvio" profile add -q --replace ada512 "$sasl_bootstrap" --user ada --stay --password-file "$work/password" --mechanism SCRAM-SHA-512
    check "who was added for no one mechanism logs in by either" 0 "ada" "$fluvio" user list --profile ada512
    check "a wrong password is told" 1 "did not let us in" "$fluvio" user list --profile eve
    check "a profile by PLAIN" 0 "profile carl" "$fluvio" profile add --replace carl "$sasl_bootstrap" --user carl --stay \
        --password-file "$work/password" --mechanism PLAIN
    "$fluvio" profile add -q --replace dora "$sasl_bootstrap" --user carl --stay --password-file "$work/wrong" --mechanism PLAIN
    check "its wrong password is told, too" 1 "did not let us in" "$fluvio" topic list --profile dora
    "$fluvio" topic create -q secret open
    same "who may nothing sees nothing" '[]' "$fluvio" topic list --profile carl -O json
    check "and is refused changes" 1 "not allowed for this user" "$fluvio" topic create more --profile carl
    check "on our own connection, too" 1 "list users:" "$fluvio" user list --profile carl
    check "a producer's rules are added" 0 "3 rules added" "$fluvio" acl add --user carl --role producer --topic open --on-cluster
    check "a consumer's rules are added" 0 "4 rules added" "$fluvio" acl add --user carl --role consumer --topic op --group g --prefix
    check "a rule for a transactional id" 0 "1 rule added" "$fluvio" acl add --user carl --operation write --transactional-id t1
    until_said open "$fluvio" topic list --profile carl
    check "now carl may write" 0 '' sh -c "echo x | '$fluvio' produce open --profile carl"
    same "and read" x "$fluvio" consume open -B -d --profile carl -g group1
    check "not what belongs to others" 1 'no topic `secret`' "$fluvio" consume secret -B -d --profile carl
    check "rules are listed by user" 0 "User:carl" "$fluvio" acl list --user carl
    same "those that concern a topic" 4 sh -c "'$fluvio' acl list --user carl --topic open -O json | jq length"
    check "deleting everything by mistake is refused" 3 "every user and resource" "$fluvio" acl delete
    check "rules are deleted" 0 "8 rules removed" "$fluvio" acl delete --user carl
    check "a user is deleted" 0 "no password" "$fluvio" user delete ada
    check "and does not come in by either" 1 "did not let us in" "$fluvio" user list --profile ada512
    check "and another" 0 "no password" "$fluvio" user delete bob --mechanism SCRAM-SHA-512
    check "who is not there cannot be deleted" 1 "bob: " "$fluvio" user delete bob
    until_said "$others" sh -c "'$fluvio' user list -O json | jq -c '[.[].user] | unique'" && tell yes "no user is left" || tell no "no user is left"
    "$fluvio" topic delete -q secret open
}

if start_kafka; then
    "$fluvio" profile add -q kafka "$bootstrap"
    all_cases
    access '[]'
else
    tell no "Apache Kafka starts"
fi
"$node" stop "$work/kafka"

# --- our server ------------------------------------------------------------------------------------------------------------------

area=cli-spu
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
check "the host is checked before" 0 "127.0.0.1:$port is free" "$fluvio" cluster check --port "$port"
check "a cluster is started" 0 "the cluster runs at 127.0.0.1:$port" "$fluvio" cluster start --local --port "$port"
same "its profile is used" local "$fluvio" profile current
check "a second start changes nothing" 0 "runs already" "$fluvio" cluster start
check "another directory cannot have its port" 3 "another server answers" "$fluvio" cluster start --dir "$work/other" --port "$port"
check "the check knows it for ours" 0 "our own server's" "$fluvio" cluster check
check "another's check names the port" 1 "ss -ltnp" "$fluvio" cluster check --dir "$work/other" --port "$port"
bootstrap=127.0.0.1:$port
all_cases
lost_cluster
check "it is shut down" 0 "has ended" "$fluvio" cluster shutdown
check "once more is no mistake" 0 "no cluster runs" "$fluvio" cluster shutdown
check "then it is not reached, soon" 1 "cannot reach" timeout 5 "$fluvio" topic list

# --- SASL and ACLs, against our server --------------------------------------------------------------------------------------------

area=cli-sasl
start_sasl() {
    tests/support/spu start "$work/sasl" 'partitions: 1' 'authorization: { enabled: true, super-users: [User:ANONYMOUS, User:ada, User:bob] }' 'listeners:' \
        '  - { name: OPEN, port: 0 }' '  - { name: SASL, port: 0, auth: sasl, plain-without-tls: true }' >/dev/null &&
        tests/support/spu stop "$work/sasl" &&
        for user in "admin --role admin" carl "paul --role producer" "cora --role consumer" "dan --role king"; do
            # shellcheck disable=SC2086
            echo "pencil,=" | "$BUILD/fluvio-spu" --config "$work/sasl/spu.yaml" --add-user $user 2>>"$work/add-user"
        done
    tests/support/spu again "$work/sasl" && . "$work/sasl/env"
    bootstrap=$BOOTSTRAP sasl_bootstrap=127.0.0.1:${PORTS##* }
}
as() { # NAME: a profile for that user
    "$fluvio" profile add -q --replace "$1" "$sasl_bootstrap" --user "$1" --stay --password-file "$work/password" --mechanism SCRAM-SHA-512
}
# From no user to one who is gone again, over SASL only: an admin made by --add-user does all of it.
life_of_a_user() {
    as admin && as dan && "$fluvio" profile switch -q admin
    check "a role that is not there is told" 0 "there are admin, user, producer or consumer" cat "$work/add-user"
    check "who is no user is not let in" 1 "did not let us in" "$fluvio" user list --profile dan
    check "an admin adds a user" 0 "has a password" "$fluvio" user add dan --password-file "$work/password" --mechanism SCRAM-SHA-512
    check "and a topic" 0 "created" "$fluvio" topic create ledger
    check "who has no rule writes nothing" 1 'no topic `ledger`' sh -c "echo x | '$fluvio' produce ledger --profile dan"
    check "nor reads" 1 'no topic `ledger`' "$fluvio" consume ledger -B -d --profile dan
    check "nor adds rules" 1 "not allowed on the cluster" "$fluvio" acl add --user dan --role admin --profile dan
    check "nor users" 1 "not allowed on the cluster" "$fluvio" user add eve --password-file "$work/password" --profile dan
    check "nor sees who there is" 1 "not allowed on the cluster" "$fluvio" acl list --profile dan
    check "whose topics are hidden is told so" 1 'no topic `ledger` that this user may see at profile `dan`' "$fluvio" topic describe ledger --profile dan
    "$fluvio" acl add -q --user dan --operation describe --topic ledger >/dev/null
    check "who may see a topic and not its settings sees its partitions" 0 "its settings may not be read by this user" "$fluvio" topic describe ledger --profile dan
    same "as JSON" '[1,null]' sh -c "'$fluvio' topic describe ledger --profile dan -o json | jq -c '.[] | [.partition_count, .settings]'"
    check "who may write to no topic is told that" 1 "ledger: this user may not write to it, nor to any other" sh -c "echo x | '$fluvio' produce ledger --profile dan"
    "$fluvio" acl delete -q --user dan >/dev/null
    check "a role is given" 0 "2 rules added" "$fluvio" acl add --user dan --role producer --topic ledger
    check "then it writes" 0 '' sh -c "echo x | '$fluvio' produce ledger --profile dan"
    check "and does not read" 1 "not allowed for this user on the topic" "$fluvio" consume ledger -B -d --profile dan
    check "another role" 0 "6 rules added" "$fluvio" acl add --user dan --role user
    same "reads, too" x "$fluvio" consume ledger -B -d --profile dan -g any
    check "the rules are listed" 0 "User:dan" "$fluvio" acl list --user dan
    same "each once" 8 sh -c "'$fluvio' acl list --user dan -O json | jq length"
    check "a user makes nothing" 1 "not allowed" "$fluvio" topic create more --profile dan
    check "the role of --add-user is the same" 0 '' sh -c "echo y | '$fluvio' produce ledger --profile paul"
    same "for who reads" $'x\ny' "$fluvio" consume ledger -B -d --profile cora -g some
    check "who only reads does not write" 1 "" sh -c "echo z | '$fluvio' produce ledger --profile cora"
    same "the same rules by both" true sh -c "'$fluvio' acl add -q --user dora --role producer --topic '*' --transactional-id '*' --on-cluster >/dev/null &&
        '$fluvio' acl list -O json | jq '[\"User:paul\", \"User:dora\"] as \$who | [.[] | select(.principal == \$who[0]) | del(.principal)] == [.[] | select(.principal == \$who[1]) | del(.principal)]'"
    check "the rules are deleted" 0 "8 rules removed" "$fluvio" acl delete --user dan
    check "from then on it is refused" 1 'no topic `ledger`' sh -c "echo x | '$fluvio' produce ledger --profile dan"
    check "the user is deleted" 0 "no password" "$fluvio" user delete dan --mechanism SCRAM-SHA-512
    check "and does not come in" 1 "did not let us in" "$fluvio" user list --profile dan
}
echo 'pencil,=' >"$work/password"
if start_sasl; then
    "$fluvio" profile add -q open "$bootstrap"
    access '["admin","carl","cora","paul"]'
    as paul && as cora && life_of_a_user
fi
tests/support/spu stop "$work/sasl" && tell yes "it ends cleanly" || tell no "it ends cleanly"

# --- TLS, against our server -----------------------------------------------------------------------------------------------------

area=cli-tls
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport')
mkdir -p "$work/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
chmod 600 "$work/tls/key.pem"
printf 'data-dir: %s/data\nlisteners:\n  - {name: SSL, host: 127.0.0.1, port: %d, tls: {certificate: %s/cert.pem, key: %s/key.pem}}\n' \
    "$work/tls" "$port" "$work/tls" "$work/tls" >"$work/tls/spu.yaml"
check "a server with TLS is started" 0 "the cluster runs" "$fluvio" cluster start --dir "$work/tls"
check "a profile with its CA" 0 "profile tls" "$fluvio" profile add tls "127.0.0.1:$port" --ca "$work/tls/cert.pem"
check "a topic is created" 0 "created" "$fluvio" topic create t
check "more partitions than a topic may have" 1 "a topic has 1 to 10000 partitions" "$fluvio" topic create wide -p 100000
check "  also of one that is there" 1 "the topic has 1 partitions; it only gets more, up to 10000" "$fluvio" topic alter t -p 10001
check "a record is written" 0 '' sh -c "echo hi | '$fluvio' produce t"
same "and read" hi "$fluvio" consume t -B -d
check "our own connection encrypts, too" 0 "altered" "$fluvio" topic alter t --retention-time 3d
check "a signer that is not known is refused" 1 "TLS failed" "$fluvio" topic list --cluster "127.0.0.1:$port" -X security.protocol=ssl
check "on our own connection, too" 1 "certificate verify failed" "$fluvio" acl list --cluster "127.0.0.1:$port" -X security.protocol=ssl
for listing in topic acl; do
    check "without TLS the cause is named by $listing list" 1 "check security.protocol of the profile: has this port TLS" "$fluvio" $listing list --cluster "127.0.0.1:$port"
    check "a CA file without certificates is wrong usage of $listing list" 2 "no certificate or crl found" "$fluvio" $listing list --cluster "127.0.0.1:$port" -X security.protocol=ssl -X ssl.ca.location="$work/tls/key.pem"
    check "so is a key file without a key" 2 "" "$fluvio" $listing list --cluster "127.0.0.1:$port" -X security.protocol=ssl \
        -X ssl.ca.location="$work/tls/cert.pem" -X ssl.certificate.location="$work/tls/cert.pem" -X ssl.key.location="$work/tls/cert.pem"
    check "a signer is looked for by $listing list, and the hint is whole" 1 "of the profile" "$fluvio" $listing list --cluster "127.0.0.1:$port" -X security.protocol=ssl
done
check "it is shut down" 0 "has ended" "$fluvio" cluster shutdown --dir "$work/tls"

# --- a cluster on this machine ---------------------------------------------------------------------------------------------------

area=cli-local
# shellcheck source=tests/support/cli-cluster.bash
. tests/support/cli-cluster.bash

# --- wrong usage -----------------------------------------------------------------------------------------------------------------

area=cli
# shellcheck source=tests/support/cli-usage.bash
. tests/support/cli-usage.bash

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
