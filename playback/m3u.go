package playback

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"relay/ingest/flv"
)

const m3uSuffix = ".m3u"

// m3u answers with a playlist of one line, which opens a player where a bare address
// opens a download. What ?at= asks for goes into that line.
func (s *routes) m3u(w http.ResponseWriter, r *http.Request, c *Channel) {
	at := r.URL.Query().Get("at")
	when, err := parseMoment(at)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case when.present():
		at = ""
	case c.kept == nil:
		s.notRewound(w, c, errNotKept)
		return
	default:
		at = "?at=" + url.QueryEscape(at)
	}
	w.Header().Set("Content-Type", "audio/x-mpegurl")
	w.Header().Set("Content-Disposition", "inline; filename="+c.id.Short()+m3uSuffix)
	fmt.Fprint(w, c.playlist(base(r), at))
}

// playlist has the address of the channel, with a query.
func (c *Channel) playlist(base, query string) string {
	name, suffix := c.id.Short(), formats[0].suffix
	if h := c.ring.Header(); h != nil {
		info := flv.Describe(h.Payload())
		if info.Title != "" {
			name = flv.CleanTitle(info.Title)
		}
		suffix = VLCSuffix(info) // which is what mostly opens playlists
	}
	return "#EXTM3U\n#EXTINF:-1," + strings.ReplaceAll(name, "\n", " ") + "\n" + base + "/" + c.id.Short() + suffix + query + "\n"
}

// VLCSuffix is the format that VLC plays a stream best in. Of FLV it drops pictures that
// it takes for late, and what depends on them is garbled until the next keyframe.
func VLCSuffix(info flv.Info) string {
	if best := BestSuffix(info); best != ".flv" || info.VideoCodec != "h264" {
		return best
	}
	return ".ts"
}

// BestSuffix is the format that most players take that stream in: VLC plays HEVC and
// Opus out of MPEG-TS alone, and knows AV1 and VP9 in MP4.
func BestSuffix(info flv.Info) string {
	switch {
	case info.VideoCodec == "hevc", info.AudioCodec == "opus" && info.VideoCodec == "h264":
		return ".ts"
	case info.VideoCodec == "av1", info.VideoCodec == "vp9":
		return ".mp4"
	}
	return ".flv"
}
