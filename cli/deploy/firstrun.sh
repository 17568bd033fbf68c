#!/bin/sh
# A first run, from an installed package to a picture on a second machine: firstrun.sh ROOT
#
# ROOT has what the Debian package has, and may have nothing else (dpkg-deb --extract), or be a whole clean
# Debian on which it was installed. Two machines are two network namespaces with one cable; relay runs in
# ROOT by chroot on each. ffmpeg is OBS on the one and the player on the other, from outside of ROOT.
# Needs root, ip, ffmpeg. Prints what a person types and sees, with the seconds since the first of it.
set -eu
root=$1
work=$(mktemp -d)
a=relay-a-$$ b=relay-b-$$
began=$(date +%s%N)
PATH=$PATH:/usr/sbin:/sbin

finish() {
	for f in "$work"/*.pid; do
		[ -e "$f" ] && kill "$(cat "$f")" 2>/dev/null || true
	done
	wait # they write to their folders until they have ended
	ip netns del "$a" 2>/dev/null || true
	ip netns del "$b" 2>/dev/null || true
	rm -rf "$work" "$root/tmp/first-$$"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '%5d.%d  %s\n' $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10)) "$*"; }

# until FILE PATTERN waits, for 20 s at most, for a line in a file, and prints the last such.
until_line() {
	for _ in $(seq 200); do
		if grep -q -- "$2" "$1" 2>/dev/null; then
			grep -- "$2" "$1" | tail -n 1
			return
		fi
		sleep 0.1
	done
	echo "firstrun: $1 has no line $2:" >&2
	cat "$1" >&2
	return 1
}

# relay MACHINE NAME ARG... runs relay on a machine, with a home of its own there.
relay() {
	machine=$1 name=$2
	shift 2
	mkdir -p "$root/tmp/first-$$/$machine"
	env -i HOME="/tmp/first-$$/$machine" ip netns exec "$machine" "$(command -v chroot)" "$root" /usr/bin/relay "$@" >"$work/$name.out" 2>"$work/$name.err" &
	echo $! >"$work/$name.pid"
}

mkdir -p "$root/tmp"
ip netns add "$a"
ip netns add "$b"
ip link add name eth0 netns "$a" type veth peer name eth0 netns "$b"
for n in 1 2; do
	ns=$a
	[ $n = 1 ] || ns=$b
	ip -n "$ns" addr add 10.77.0.$n/24 dev eth0
	ip -n "$ns" link set eth0 up
	ip -n "$ns" link set lo up
	ip -n "$ns" route add default via 10.77.0.254
done
began=$(date +%s%N)

say 'here$ relay source --title Finals'
relay "$a" source source --title Finals
server=$(until_line "$work/source.err" 'Server ')
key=$(until_line "$work/source.err" 'Key ')
say "$server"
say "$key"

say 'here: both into OBS, which begins'
url=$(echo "$server" | grep -o 'rtmp://[^ ]*')/$(echo "$key" | awk '{print $2}')
ip netns exec "$a" ffmpeg -loglevel error -re -f lavfi -i testsrc=size=640x360:rate=30 -f lavfi -i sine \
	-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 30 -b:v 1M -c:a aac -f flv "$url" </dev/null 2>"$work/obs.err" &
echo $! >"$work/obs.pid"
say "$(until_line "$work/source.err" 'Live')"

say 'there$ relay watch'
relay "$b" watch watch
say "$(until_line "$work/watch.err" 'Found ')"
page=$(until_line "$work/watch.out" 'http://')
say "$page"

say 'there: the address into a player'
ip netns exec "$b" timeout 20 ffmpeg -loglevel error -i "$page" -frames:v 1 -y "$work/picture.png" </dev/null
size=$(ip netns exec "$b" ffprobe -v error -select_streams v -show_entries stream=width,height -of csv=p=0 "$work/picture.png")
[ "$size" = 640,360 ]
say "a picture of $size"
