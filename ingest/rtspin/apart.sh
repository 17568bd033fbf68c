#!/bin/sh
# apart.sh [SECONDS [QUERY]] says how far sound and pictures are apart, at first and after so many seconds (600): ffmpeg flashes and
# beeps each second into one relay, a second one fetches that over RTSP as from a camera, and ffmpeg looks for both in what it
# plays. QUERY is ?transport=udp, say. It needs ffmpeg, curl and bin/relay; run it from the top.
set -eu
long=${1:-600} query=${2:-}
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT
node() { # name, input, flags
	name=$1 input=$2
	shift 2
	exec bin/relay source "$input" --config "$dir/$name" --listen 127.0.0.1:0 --admin off --no-discovery --no-port-mapping "$@" >"$dir/$name.out" 2>"$dir/$name.err"
}
of() { curl -s "http://127.0.0.1:$1/api/v1/channels" | grep -o "$2[^\"]*" | head -1; }
ffmpeg -nostdin -loglevel error -re -f lavfi -i "color=black:s=320x180:r=25,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.039)'" \
	-f lavfi -i "aevalsrc='if(lt(mod(t,1),0.04),sin(2*PI*1000*t),0)':s=48000" -t $((long + 60)) \
	-c:v libx264 -preset ultrafast -tune zerolatency -g 25 -c:a aac -f flv - | node first - --http 127.0.0.1:7845 --rtsp 127.0.0.1:7854 &
sleep 4
node second "$(of 7845 rtsp://)$query" --http 127.0.0.1:7846 &
sleep 4
look() {
	ffmpeg -nostdin -loglevel error -y -i "$(of 7846 'http[^"]*flv')?start=gop" -t 8 -c copy "$dir/clip.flv"
	ffmpeg -nostdin -hide_banner -copyts -i "$dir/clip.flv" -vf signalstats,metadata=print:key=lavfi.signalstats.YAVG:file="$dir/flashes" \
		-af silencedetect=n=-30dB:d=0.3 -f null - 2>"$dir/beeps"
	awk -v what="$1" '
		FNR == NR { if ($0 ~ /pts_time/) { sub(/.*pts_time:/, ""); t = $1 } else { sub(/.*=/, ""); if ($1 > 100 && was <= 100) flash[n++] = t; was = $1 } next }
		/silence_end/ { sub(/.*silence_end: /, ""); for (i = 0; i < n; i++) { d = ($1 - flash[i]) * 1000; if (d < 400 && d > -400) said = said sprintf(" %.0f", d) } }
		END { print what ": beeps come so many ms behind flashes:" said }' "$dir/flashes" "$dir/beeps"
}
look "at first"
sleep "$long"
look "after $long s"
