#!/usr/bin/env bash
#
# What the starter costs at start-up: the processor time (user) that a minimal WebFlux and Actuator application
# takes from the start of its JVM to its end, without the starter, with what the starter brings but not our own
# jar, and with the starter; one after the other, so that each sees the same machine. Prints a table in Markdown.
#
# Usage: start-up.sh [number of runs]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

runs=${1:-7}
root=$(cd ../../.. && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mvn -B -q -f "$root/pom.xml" -pl authing-wechat-spring-boot-starter -am package dependency:build-classpath \
	-DskipTests -Dmdep.outputFile="$work/starter.cp" -Dmdep.includeScope=runtime
mvn -B -q -f startup/pom.xml compile dependency:build-classpath \
	-Dmdep.outputFile="$work/app.cp" -Dmdep.includeScope=runtime

# The versions are managed, so that a jar that both need is the same file.
app=$PWD/startup/target/classes:$(<"$work/app.cp")
starter=$app
libraries=$app
IFS=: read -ra jars <<<"$(<"$work/starter.cp")"
for jar in "${jars[@]}"; do
	if [[ :$app: != *:$jar:* ]]; then
		starter+=:$jar
		[[ $jar == *authing-wechat* ]] || libraries+=:$jar
	fi
done

start() {
	"$java" "${@:2}" -cp "$1" cn.authing.wechat.benchmark.StartUpApplication --server.port=0 \
		--spring.main.banner-mode=off --authing.app-id=id --authing.app-secret=secret \
		--authing.app-host=https://example.authing.cn
}

user_time() {
	local TIMEFORMAT=%U
	{ time start "$1" >/dev/null 2>&1; } 2>&1
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

for ((run = 0; run <= runs; run++)); do
	bare=$(user_time "$app")
	brought=$(user_time "$libraries")
	with=$(user_time "$starter")
	# The first ones fill the caches of the machine.
	if ((run > 0)); then
		echo "$bare" >>"$work/bare"
		echo "$brought" >>"$work/brought"
		echo "$with" >>"$work/with"
		awk "BEGIN { print $brought / $bare }" >>"$work/brought.ratio"
		awk "BEGIN { print $with / $bare }" >>"$work/with.ratio"
	fi
done

row() {
	local loaded beans
	start "$3" -Xlog:class+load:file="$work/loaded" >"$work/out"
	loaded=$(grep -c ' source: ' "$work/loaded")
	beans=$(sed -n 's/^beans: //p' "$work/out")
	echo "| $1 | $(median <"$work/$2") s | $4 | $loaded | $(grep -c ' cn\.authing\..* source: .*\.jar' "$work/loaded" || true) | $beans |"
}

echo "| application | user time | x bare | classes loaded | of the starter | beans |"
echo "| --- | --- | --- | --- | --- | --- |"
row bare bare "$app" 1
row "and what the starter brings" brought "$libraries" "$(median <"$work/brought.ratio")"
row "and the starter" with "$starter" "$(median <"$work/with.ratio")"
