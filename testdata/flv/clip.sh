#!/usr/bin/env bash
# Makes the sample streams in this directory, and the clip of relay demo, with ffmpeg (libx264, drawtext)
# and the DejaVu fonts. `make clip` runs it; the results are committed.
#
#   ../../cli/demo/demo.flv     8 s of H.264 640x360 at 30 fps and AAC, for looping
#   video.flv    2 s of H.264 320x180 alone
#   audio.flv    2 s of MP3 alone
#
# demo.flv can be looped without a timestamp jump: its period of 8 s is 4 GOPs
# of 60 frames and 375 AAC frames of 1024 samples at 48 kHz, and both streams
# start at 0. Everything drawn or heard has a period that divides 8 s.
set -euo pipefail
cd "$(dirname "$0")"

fonts=${FONTS:-/usr/share/fonts/truetype/dejavu}
mono=$fonts/DejaVuSansMono-Bold.ttf
sans=$fonts/DejaVuSans-Bold.ttf
ff=(ffmpeg -hide_banner -loglevel error -nostdin -y)

# Low delay (no B-frames, no lookahead), closed GOPs of exactly 2 s, and the
# same bytes each time for the same ffmpeg.
x264=(-c:v libx264 -threads 1 -preset veryslow -tune zerolatency -profile:v high -pix_fmt yuv420p
	-bf 0 -g 60 -keyint_min 60 -sc_threshold 0 -flags +cgop)
# A file that reads like a live encoder: no duration, no end-of-sequence tag
# that would land in the middle of a loop.
flv=(-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact
	-f flv -flvflags no_duration_filesize+no_sequence_end)

# t can fall a hair short of a whole second.
T='(t+0.0001)'
clock="%{eif\\:trunc($T/60)\\:d\\:2}\\:%{eif\\:mod(trunc($T)\\,60)\\:d\\:2}.%{eif\\:trunc(1000*mod($T\\,1))\\:d\\:3}"

# A dark card: the name, the clock, a ball on a Lissajous figure, a bar that
# fills once a second, colour bars, and a lamp that is lit while the beep sounds.
read -r -d '' scene <<END || true
color=c=black:s=640x360:r=30,trim=end_frame=1,format=gbrp,
 geq=r='14+10*Y/H':g='18+18*Y/H':b='34+44*Y/H',
 loop=loop=-1:size=1,setpts=N/30/TB,format=yuv420p[card];
smptebars=s=640x56:r=30,crop=640:36:0:0,trim=end_frame=1,loop=loop=-1:size=1,setpts=N/30/TB,
 format=yuv420p[bars];
color=c=black:s=56x56:r=30,trim=end_frame=1,format=rgba,
 geq=r=255:g='150+60*(1-Y/H)':b=60:a='255*clip(27.5-hypot(X-27.5,Y-27.5),0,1)',
 loop=loop=-1:size=1,setpts=N/30/TB[ball];
color=c=black:s=28x28:r=30,trim=end_frame=1,format=rgba,
 geq=r=255:g=70:b=70:a='255*clip(13.5-hypot(X-13.5,Y-13.5),0,1)',
 loop=loop=-1:size=1,setpts=N/30/TB[lamp];
color=c=0x4fd1c5:s=640x8:r=30[fill];
[card][bars]overlay=x=0:y=324[a];
[a][fill]overlay=x='-640+640*mod($T,1)':y=316[b];
[b][ball]overlay=x='292+260*sin(2*PI*t/8)':y='142+104*sin(2*PI*t/4+PI/3)'[c];
[c][lamp]overlay=x=588:y=24:enable='lt(mod($T,1),0.12)'[d];
[d]drawtext=fontfile=$sans:text=relay:fontsize=40:fontcolor=white:x=32:y=24,
 drawtext=fontfile=$mono:text='$clock':fontsize=84:fontcolor=white:
  borderw=4:bordercolor=0x101828:x=(w-tw)/2:y=(h-th)/2-14,
 drawtext=fontfile=$mono:text='frame %{eif\\:n\\:d\\:3}':fontsize=22:fontcolor=0xa0aec0:
  x=(w-tw)/2:y=236,
 trim=end_frame=240
END

# A soft beep each second, an octave up every fourth, faded in and out.
beep='0.16*sin(2*PI*t*if(lt(mod(t,4),1),880,440))*min(1,mod(t,1)/0.005)*clip((0.12-mod(t,1))/0.06,0,1)'

# The tone goes on before and after the clip, and of its AAC packets (the encoder's
# first one only primes the decoder) those of the second round are kept: so the
# first packet follows on from the last one without a click.
"${ff[@]}" -f lavfi -i "aevalsrc='$beep|$beep':s=48000:d=17" \
	-filter_complex "$scene[v]" -map '[v]' -map 0:a \
	"${x264[@]}" -crf 17 -maxrate 600k -bufsize 600k \
	-af asetpts=PTS-8/TB -c:a aac -b:a 64k -bsf:a "noise=drop='not(between(n,376,750))'" \
	"${flv[@]}" ../../cli/demo/demo.flv

"${ff[@]}" -f lavfi -i testsrc2=s=320x180:r=30 -frames:v 60 "${x264[@]}" -crf 36 "${flv[@]}" video.flv

"${ff[@]}" -f lavfi -i "aevalsrc='$beep':s=44100:d=2" -c:a libmp3lame -b:a 64k "${flv[@]}" audio.flv
