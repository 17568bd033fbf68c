package words

import (
	"fmt"
	"math"
	"strings"

	"relay/ingest/flv"
)

// codecNames are codecs as people write them. Other codecs keep the names that flv gives them.
var codecNames = map[string]string{
	"h264": "H.264",
	"hevc": "HEVC",
	"av1":  "AV1",
	"vp8":  "VP8",
	"vp9":  "VP9",
	"vvc":  "VVC",
	"h263": "H.263",
	"aac":  "AAC",
	"mp3":  "MP3",
	"opus": "Opus",
	"flac": "FLAC",
	"ac3":  "AC-3",
	"eac3": "E-AC-3",
	"pcm":  "PCM",

	"speex":      "Speex",
	"g711a":      "G.711",
	"g711u":      "G.711",
	"nellymoser": "Nellymoser",
	"adpcm":      "ADPCM",
}

func codecName(codec string) string {
	if name := codecNames[codec]; name != "" {
		return name
	}
	return codec
}

// MediaText describes a stream in a few words, beginning with its title.
func MediaText(i flv.Info) string {
	var parts []string
	if i.HasVideo {
		v := orUnknown(codecName(i.VideoCodec))
		if i.Width > 0 {
			v += fmt.Sprintf(" %dx%d", i.Width, i.Height)
		}
		if i.FrameRate > 0 {
			v += fmt.Sprintf(" %.4g fps", i.FrameRate)
		}
		parts = append(parts, v)
	}
	if i.HasAudio {
		parts = append(parts, orUnknown(codecName(i.AudioCodec)))
	}
	text := strings.Join(parts, " + ")
	if text == "" {
		text = "no media yet"
	}
	if i.Title != "" {
		return "\"" + i.Title + "\", " + text
	}
	return text
}

func orUnknown(codec string) string {
	if codec == "" {
		return "unknown codec"
	}
	return codec
}

// MadeAAC says that the sound of a codec is made AAC.
func MadeAAC(codec string) string {
	return fmt.Sprintf("The sound comes in as %s; ffmpeg makes it AAC.", codecName(codec))
}

// pictureText returns a video's size in the shortest form: "1080p60".
func pictureText(i flv.Info) string {
	if i.Height == 0 {
		return ""
	}
	s := fmt.Sprintf("%dp", i.Height)
	if fps := math.Round(i.FrameRate); fps > 0 {
		s += fmt.Sprintf("%.0f", fps)
	}
	return s
}

// codecsText names the codecs: "H.264/AAC". It leaves out an unknown one, which may be a track
// that was announced and never came.
func codecsText(i flv.Info) string {
	var names []string
	if i.HasVideo && i.VideoCodec != "" {
		names = append(names, codecName(i.VideoCodec))
	}
	if i.HasAudio && i.AudioCodec != "" {
		names = append(names, codecName(i.AudioCodec))
	}
	return strings.Join(names, "/")
}

// Codecs names a stream's codecs, as in "H.264, AAC".
func Codecs(i flv.Info) string {
	var parts []string
	if i.HasVideo {
		parts = append(parts, orUnknown(codecName(i.VideoCodec)))
	}
	if i.HasAudio {
		parts = append(parts, orUnknown(codecName(i.AudioCodec)))
	}
	return strings.Join(parts, ", ")
}
