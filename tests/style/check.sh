#!/usr/bin/env bash
# What compilers do not enforce: sizes, banned calls, include directions, headers that compile alone. A line for each finding, and
# last how many files were looked at.
set -u
cd "$(dirname "$0")/../.."
file_lines_max=500 function_lines_max=70 parameters_max=8

mapfile -t files < <(git ls-files -co --exclude-standard '*.c' '*.h' | while read -r file; do [ -e "$file" ] && echo "$file"; done)
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
found() { echo "$*" >>"$findings"; }

# --- one file at a time ---------------------------------------------------------------------------------------------------------

for file in "${files[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le $file_lines_max ] || found "$file: $lines lines, more than $file_lines_max: look for the seam"
    [ "$(head -n 1 "$file")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] || found "$file:1: no SPDX line"
    case $(basename "$file") in util.[ch] | utils.[ch] | common.[ch] | misc.[ch]) found "$file: a name that says nothing" ;; esac
done

# Text in comments and strings is blanked before anything is looked for; lines stay where they are.
awk -v function_max=$function_lines_max -v parameter_max=$parameters_max '
function bare(line,   out, i, c, two) {
    out = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++ }
            continue
        }
        if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) { quote = ""; out = out c }
            continue
        }
        if (two == "/*") { in_comment = 1; i++; continue }
        if (two == "//") break
        if (c == "\"" || c == "\x27") quote = c
        out = out c
    }
    quote = ""
    return out
}
function tell(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }
function count_parameters(text,   i, c, depth, commas) {
    sub(/^[^(]*\(/, "", text)
    depth = 1; commas = 0
    for (i = 1; i <= length(text) && depth > 0; i++) {
        c = substr(text, i, 1)
        if (c == "(") depth++
        else if (c == ")") depth--
        else if (c == "," && depth == 1) commas++
    }
    return commas + 1
}
FNR == 1 { is_test = FILENAME ~ /^tests\//; in_comment = 0; quote = ""; in_function = 0; signature = "" }
{
    raw = $0
    code = bare($0)
    if (code ~ /(^|[^A-Za-z0-9_])(strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol|localtime|gmtime|ctime|asctime|rand|srand|system|alloca|gets)[ ]*\(/)
        tell("a banned call: " code)
    # Tests and benches pace their load and look again; the program itself waits for what wakes it.
    if (!is_test && code ~ /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep|clock_nanosleep|popen)[ ]*\(/)
        tell("a banned call: " code)
    if (raw ~ /TODO|FIXME|(^|[^X])XXX([^X]|$)/) tell("unfinished: " raw)
    if (raw ~ /^#[ ]*include[ ]+".*\.c"/) tell("includes a .c")
    if (code ~ /^#[ ]*if 0/) tell("dead code")
    if (!is_test && length(code) > 0 && code !~ /^[ }#]/ && code !~ /\(/ && code ~ /^static / && code !~ /const/ && code ~ /[;=]/ && code !~ /_assert/)
        tell("mutable file-level state: " code)
    if (code ~ /^\{/ && signature ~ /\)[ ]*$/) {
        in_function = 1; start = FNR
        if (count_parameters(signature) > parameter_max) tell("more than " parameter_max " parameters")
        delete labels
    } else if (in_function && code ~ /^}/) {
        in_function = 0
        if (FNR - start + 1 > function_max) tell("a function of " (FNR - start + 1) " lines, more than " function_max)
        signature = ""
        next
    }
    if (in_function) {
        if (code ~ /^#[ ]*(if|ifdef|ifndef|else|elif)/) tell("the preprocessor decides inside a function")
        if (match(code, /^[ ]*[a-z_0-9]+:[ ]*$/) && code !~ /default:/) { label = code; gsub(/[ :]/, "", label); labels[label] = FNR }
        if (match(code, /goto [a-z_0-9]+/)) { target = substr(code, RSTART + 5, RLENGTH - 5); if (target in labels) tell("goto backwards") }
    } else if (code ~ /^[A-Za-z_]/) {
        signature = code
    } else if (code ~ /^[ \t]/ && signature != "") {
        signature = signature code
    }
    if (!in_function && code ~ /[;}]$/) signature = ""
}' "${files[@]}" >>"$findings"

# --- include directions -----------------------------------------------------------------------------------------------------------

allowed_for() { # the folders whose headers a file in this folder may include
    case $1 in
    core/base) echo core/base ;;
    core/wire) echo core/base core/wire ;;
    core/wire/generator) echo core/wire/generator ;;
    core/link) echo core/base core/wire core/link ;;
    core/cli) echo core/base core/wire core/link core/cli ;;
    core/log) echo core/base core/log ;;
    core/cluster) echo core/base core/cluster ;;
    core/stream) echo core/base core/log core/cluster core/stream ;;
    core/server) echo core/base core/log core/wire core/server catalog fc ;;
    core/spu/group) echo core/base core/spu/group ;;
    core/spu/txn) echo core/base core/spu/txn ;;
    core/spu/auth) echo core/base catalog core/spu/auth ;;
    core/spu) echo core/base core/wire core/log core/server core/spu core/spu/group core/spu/txn core/spu/auth catalog ;;
    catalog) echo core/base catalog fc ;;
    transforms) echo core/base transforms fc ;;
    runner/include/fc) echo core/base fc ;;
    runner/envelope) echo core/base catalog runner/envelope fc ;;
    runner | runner/restore | runner/bridge) echo core/base core/cluster core/link core/stream core/spu catalog transforms runner runner/envelope runner/restore runner/bridge fc ;;
    connectors/kafka) echo core/base core/cluster core/link "$1" fc ;;
    connectors/*) echo core/base "$1" fc ;;
    tests/support/example_plugin) echo fc ;;
    tests/*) echo any ;;
    *) echo "unknown folder: say in $0 what it may include" ;;
    esac
}

for folder in $(printf '%s\n' "${files[@]}" | xargs -n 1 dirname | sort -u); do
    allowed=" $(allowed_for "$folder") "
    [ "$allowed" != " any " ] || continue
    grep -Hno '^#include "[^"]*"' "$folder"/*.[ch] 2>/dev/null | while IFS=: read -r file line include; do
        target=${include#*\"}
        target=$(dirname "${target%\"}")
        [[ $allowed == *" $target "* ]] || echo "$file:$line: $folder may not include from $target"
    done
done >>"$findings"
# What a connector's author is given must not need more than is installed.
grep -Hn '^#include "' runner/include/fc/*.h | grep -v '"fc/\|"core/base/\(error\|options\|slice\)\.h"' |
    sed 's/$/  is not installed/' >>"$findings"

# --- each header compiles alone -----------------------------------------------------------------------------------------------------

mysql=$(pkg-config --exists libmariadb && echo libmariadb || echo mysqlclient)
flags="-std=c17 -D_GNU_SOURCE -DFC_VERSION=\"0\" -I. -I${GEN:-build/release/gen} -Irunner/include $(pkg-config --cflags libzstd liblz4 yaml-0.1 lua5.4 jansson libcrypto libxxhash rdkafka "$mysql")"
export flags
alone() {
    # shellcheck disable=SC2086 # flags are words
    output=$(echo "#include \"$1\"" | gcc $flags -Wall -Wextra -Wpedantic -fsyntax-only -x c - 2>&1) ||
        printf '%s: does not compile alone: %s\n' "$1" "$(grep -m 1 error <<<"$output")"
}
export -f alone
printf '%s\n' "${files[@]}" | grep '\.h$' | xargs -P "$(nproc)" -I {} bash -c 'alone {}' >>"$findings"

sort "$findings"
count=$(wc -l <"$findings")
echo "style: ${#files[@]} files, $count findings"
[ "$count" -eq 0 ]
