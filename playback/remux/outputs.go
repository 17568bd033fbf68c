package remux

import "slices"

// Output is what a channel can be had as, and what it makes of what encoders send.
type Output struct {
	Name string // as in [api.URLs]
	// Codecs are those that it has a place for, as [flv.Kind] names them; nil for all.
	Codecs []string
	// LateSound is what becomes of sound that begins after the pictures, and LatePictures the
	// other way round. Pause is what a viewer gets while no pictures come.
	LateSound, LatePictures, Pause string
}

// Outputs are all there are. What FLV and RTMP get is what was sent.
var Outputs = []Output{
	{"flv", nil, "as sent", "as sent", "the sound"},
	{"rtmp", nil, "as sent", "as sent", "the sound"},
	{"mp4", mp4Codecs, "joins at a key frame, described anew", "join at a key frame, described anew", "the sound"},
	{"hls", mp4Codecs, "joins at a key frame, after a discontinuity", "join at a key frame, after a discontinuity", "the sound, in segments of a second"},
	{"ts", tsCodecs, "joins at once, in a new program map", "join at a key frame, in a new program map", "the sound"},
	{"srt", tsCodecs, "as in `ts`", "as in `ts`", "the sound"},
	{"rtsp", tsCodecs, "not for who came before", "not for who came before", "the sound"},
}

var (
	mp4Codecs = []string{"h264", "hevc", "av1", "vp9", "aac", "mp3", "opus"}
	tsCodecs  = []string{"h264", "hevc", "aac", "mp3", "opus"}
)

// has reports whether the output has a place for a codec.
func (o Output) has(codec string) bool { return o.Codecs == nil || slices.Contains(o.Codecs, codec) }

// outputOf returns an output by its name.
func outputOf(name string) Output {
	return Outputs[slices.IndexFunc(Outputs, func(o Output) bool { return o.Name == name })]
}

// Lacks returns, for each output that has no place for one of a stream's codecs, these codecs. A
// codec that is not known is "", and nobody can say.
func Lacks(codecs ...string) map[string][]string {
	var lacks map[string][]string
	for _, o := range Outputs {
		for _, c := range codecs {
			if c == "" || o.has(c) {
				continue
			}
			if lacks == nil {
				lacks = make(map[string][]string)
			}
			lacks[o.Name] = append(lacks[o.Name], c)
		}
	}
	return lacks
}
