package playback

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"relay/ingest/flv"
)

// apiPrefix begins the paths of what programs and the page may rely on. What is
// answered there on the players' listener names no address and no whole node ID.
const apiPrefix = "/api/v1/"

// Channels is what GET /api/v1/channels answers. The list is never null.
type Channels struct {
	Channels []ChannelInfo `json:"channels"`
}

// ChannelInfo is one channel as anyone who may watch it may know it.
type ChannelInfo struct {
	ID          string `json:"id"`
	Name        string `json:"name"`  // the ID's short form
	Title       string `json:"title"` // the broadcaster's words; may be empty
	State       State  `json:"state"`
	Codec       Codec  `json:"codec"`
	BitRate     int    `json:"bit_rate"` // bit/s
	DelayMs     int64  `json:"delay_ms"` // behind the root
	Root        bool   `json:"root"`     // this node is it
	Depth       int    `json:"depth"`    // links to the root
	Parent      string `json:"parent"`   // its tag; "" at the root, and while there is none
	Children    int    `json:"children"`
	ViewerCount int    `json:"viewer_count"`
	URLs        URLs   `json:"urls"`
}

// URLs is where a channel is found under the host that was asked.
type URLs struct {
	FLV  string `json:"flv"`
	MP4  string `json:"mp4"`
	TS   string `json:"ts"`
	HLS  string `json:"hls"`
	M3U  string `json:"m3u"`
	Page string `json:"page"`
	RTMP string `json:"rtmp,omitempty"` // none if it is not played over RTMP there
}

// tagLen is how many characters of a node's ID name it to strangers: those that the
// tree shows.
const tagLen = 12

func tag(id string) string { return id[:min(len(id), tagLen)] }

// info describes the channel now; base is the address of the listener, without a
// slash at its end.
func (c *Channel) info(base string) ChannelInfo {
	t := c.tree()
	at := base + "/" + c.id.Short()
	i := ChannelInfo{
		ID:          c.id.String(),
		Name:        c.id.Short(),
		Title:       c.title(),
		State:       c.state(t),
		BitRate:     c.ring.Stats().BitRate,
		DelayMs:     t.DelayMs,
		Root:        t.Root,
		Depth:       t.Depth,
		Children:    len(t.Children),
		ViewerCount: c.Viewers(),
		URLs: URLs{
			FLV: at + ".flv", MP4: at + ".mp4", TS: at + ".ts", M3U: at + ".m3u",
			HLS:  base + "/hls/" + c.id.Short() + "/index.m3u8",
			Page: base + "/#" + c.id.Short(),
		},
	}
	if t.Parent != nil {
		i.Parent = tag(t.Parent.ID)
	}
	if h := c.ring.Header(); h != nil {
		media := flv.Describe(h.Payload())
		i.Title, i.Codec = flv.CleanTitle(media.Title), codecOf(media)
	}
	return i
}

// title is the broadcaster's words for the stream, by the newest header; "" if there
// are none.
func (c *Channel) title() string {
	h := c.ring.Header()
	if h == nil {
		return ""
	}
	return flv.Describe(h.Payload()).Title
}

// codec describes the media by the newest header.
func (c *Channel) codec() Codec {
	h := c.ring.Header()
	if h == nil {
		return Codec{}
	}
	return codecOf(flv.Describe(h.Payload()))
}

func codecOf(i flv.Info) Codec {
	return Codec{i.VideoCodec, i.AudioCodec, i.Width, i.Height, i.FrameRate}
}

// api answers what lies under apiPrefix.
func (s *routes) api(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, apiPrefix) {
	case "channels":
		s.apiChannels(w, r)
	case "tree":
		s.trees(w, r)
	case "events":
		s.config.Events.ServeEvents(s.ctx, w, r, false)
	default:
		http.Error(w, "There is no such page. There are /api/v1/channels, /api/v1/tree and /api/v1/events.", http.StatusNotFound)
	}
}

// API answers what lies under /api/v1/ for who runs the node, until ctx ends: channels,
// tree, events and status, with addresses and whole node IDs. players returns the
// address of the players' listener, as http://HOST:PORT.
func (s *Server) API(ctx context.Context, players func() string) http.Handler {
	all := &routes{s, ctx}
	mux := http.NewServeMux()
	mux.HandleFunc(apiPrefix+"channels", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, struct {
			Channels []ChannelStatus `json:"channels"`
		}{s.statusAt(players()).Channels})
	})
	mux.HandleFunc(apiPrefix+"status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.statusAt(players())) })
	mux.HandleFunc(apiPrefix+"tree", all.trees)
	mux.HandleFunc(apiPrefix+"events", func(w http.ResponseWriter, r *http.Request) {
		s.config.Events.ServeEvents(ctx, w, r, true)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "There is no such page. Under /api/v1/ there are channels, tree, events and status.", http.StatusNotFound)
	})
	return mux
}

func (s *routes) apiChannels(w http.ResponseWriter, r *http.Request) {
	all := Channels{Channels: []ChannelInfo{}}
	for _, c := range s.config.Channels() {
		i := c.info(base(r))
		if at := s.config.RTMP(r.Host); at != "" {
			i.URLs.RTMP = at + "/" + c.id.Short()
		}
		all.Channels = append(all.Channels, i)
	}
	writeJSON(w, all)
}

// writeJSON answers with v, indented for people.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.Encode(v)
}

// asker is the address that a request comes from; the zero Addr if it has none.
func asker(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}
