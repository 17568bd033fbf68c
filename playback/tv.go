package playback

import "net/http"

// TVFeatures says to TVs what a channel is, as DLNA's guidelines have it (protocolInfo's fourth field): neither
// ranges of bytes nor of time (OP), not converted (CI), and sent at its own pace, in the foreground or behind it, by a
// connection that may stall (FLAGS).
const TVFeatures = "DLNA.ORG_OP=00;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=8D700000000000000000000000000000"

// TVQuery behind the path of MPEG-TS has it answered as TVs want it.
const TVQuery = "?tv"

// tvType is what they call MPEG-TS.
const tvType = "video/mpeg"

// tvHeaders are further lines of an answer to a TV.
var tvHeaders = [...][2]string{{"transferMode.dlna.org", "Streaming"}, {"contentFeatures.dlna.org", TVFeatures}}

// asTV reports whether a TV asks. A range of bytes is not for a stream that has neither a beginning nor a length: it
// gets the whole (RFC 9110, 14.2), as a TV that lost its connection asks for what comes behind what it has.
func asTV(r *http.Request, f *format) bool { return f.suffix == ".ts" && r.URL.Query().Has("tv") }

func mimeFor(f *format, tv bool) string {
	if tv {
		return tvType
	}
	return f.mime
}

// startFor is where r wants to begin. A TV buffers for some seconds anyway, and what its decoder makes of pictures that
// are a millisecond apart, nobody knows.
func startFor(r *http.Request, f *format) string {
	start := r.URL.Query().Get("start")
	if start == "" && asTV(r, f) {
		return "gop"
	}
	return start
}
