package ffmpeg

import (
	"fmt"
	"slices"
	"strings"
)

// Output is what becomes of the tracks of an input.
type Output struct {
	Container string // "flv" or "mpegts", for the way to this process
	Video     *Track // nil for none
	Sound     *Track
	CopyVideo bool // else encoded as H.264
	CopySound bool // else as AAC
}

// shown are the pixel formats that browsers and televisions decode of H.264.
var shown = []string{"", "yuv420p", "yuvj420p"}

// outputOf says what becomes of what an input has, of which the program copies what it can. aac says that no other
// sound is wanted.
//
// FLV has H.264, AAC and MP3, and with ffmpeg 6.1 and later HEVC, AV1 and VP9. MPEG-TS has H.264, HEVC, AAC, MP3,
// Opus, AC-3 and E-AC-3.
func (p Program) outputOf(m Media, aac bool) Output {
	o := Output{Container: "flv", Video: m.Video, Sound: m.Sound}
	ts := false
	if v := o.Video; v != nil && !m.timeless() {
		switch v.Codec {
		case "h264":
			o.CopyVideo = slices.Contains(shown, v.PixelFormat)
		case "hevc":
			o.CopyVideo, ts = true, true
		case "av1", "vp9":
			o.CopyVideo = p.since(v6_1)
		}
	}
	flvOnly := o.CopyVideo && o.Video.Codec != "h264" && !ts
	if s := o.Sound; s != nil {
		switch s.Codec {
		case "aac":
			o.CopySound = true
			ts = ts || !flvOnly && m.bare() // FLV wants to begin with a configuration
		case "mp3":
			o.CopySound = !aac
		case "opus", "ac3", "eac3":
			o.CopySound = !aac && !flvOnly
			ts = ts || o.CopySound
		}
	}
	if ts {
		o.Container = "mpegts"
	}
	return o
}

// bare reports whether AAC has its configuration in its frames alone, as MPEG-TS has it and HLS of that.
func (m Media) bare() bool {
	return slices.ContainsFunc([]string{"hls", "mpegts", "aac"}, func(f string) bool { return slices.Contains(strings.Split(m.Format, ","), f) })
}

// timeless reports whether a container does not say when a picture is shown, but only in which order they are decoded:
// where those differ, as with B-frames, it has to be decoded to find out.
func (m Media) timeless() bool {
	return slices.ContainsFunc([]string{"avi", "h264", "hevc"}, func(f string) bool { return slices.Contains(strings.Split(m.Format, ","), f) })
}

// muxDelay is how long ffmpeg holds one track back for another that is silent, in microseconds.
const muxDelay = "500000"

// arguments are the arguments behind the input's. enc encodes pictures; it may be zero if they are copied.
func (o Output) arguments(enc Encoder) []string {
	var args []string
	if v := o.Video; v != nil {
		args = append(args, "-map", fmt.Sprintf("0:%d", v.Index))
		if o.CopyVideo {
			args = append(args, "-c:v", "copy")
		} else {
			args = append(args, enc.args(filters(v))...)
		}
	}
	if s := o.Sound; s != nil {
		args = append(args, "-map", fmt.Sprintf("0:%d", s.Index))
		if o.CopySound {
			args = append(args, "-c:a", "copy")
		} else {
			args = append(args, aacArgs("aresample=async=1000")...)
		}
	}
	return append(args, o.end()...)
}

// end is how the tracks are written to standard output.
func (o Output) end() []string {
	args := []string{"-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-max_interleave_delta", muxDelay, "-flush_packets", "1"}
	if o.Container == "mpegts" {
		return append(args, "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", "pipe:1")
	}
	return append(args, "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1")
}

// aacArgs make AAC. filter keeps the sound to its timestamps.
func aacArgs(filter string) []string {
	return []string{"-af", filter, "-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-ac", "2"}
}

// filters are what is done to pictures before they are encoded: they are made whole, and no larger than what is
// encoded in time, with an even number of lines and columns, as 4:2:0 needs it.
func filters(v *Track) string {
	const fit = "scale=w='trunc(min(1920,iw)/2)*2':h=-2"
	if v.Interlaced {
		return "yadif," + fit
	}
	return fit
}
