package playback

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"relay/playback/api"
)

// apiPrefix begins the paths that programs and the page may rely on. To other machines,
// the players' listener names no address and no whole node ID there.
const apiPrefix = "/api/v1/"

// public describes the channel now to anyone who may watch it; base is the address of
// the listener, without a slash at its end. near says that who asks is in this machine's own networks.
func (c *Channel) public(base string, near bool) api.PublicChannel {
	f := c.facts()
	parent := ""
	if f.Parent != nil && (near || !f.Parent.AtHome) {
		parent = f.Parent.Name
	}
	at := base + "/" + c.id.Short()
	return api.PublicChannel{
		Channel:    c.about(f, c.stats().BitRate),
		Parent:     f.ParentTag,
		ParentName: parent,
		Children:   len(f.Children),
		URLs: api.URLs{
			FLV: at + ".flv", MP4: at + ".mp4", TS: at + ".ts", M3U: at + ".m3u",
			HLS:  base + "/hls/" + c.id.Short() + "/index.m3u8",
			Page: base + "/#" + c.id.Short(),
		},
	}
}

// v1 answers what lies under apiPrefix on the players' listener.
func (s *routes) v1(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, apiPrefix) {
	case "channels":
		s.channels(w, r)
	case "status":
		if !callerOf(r).here {
			http.Error(w, "The status names other people's addresses, so only programs on this machine get it, and no proxy that is not trusted (--trusted-proxy). There is /api/v1/channels.", http.StatusForbidden)
			return
		}
		writeJSON(w, s.statusAt(base(r)))
	case "followed":
		if !callerOf(r).here {
			http.Error(w, "Only programs on this machine are told whom its user follows. There is /api/v1/channels.", http.StatusForbidden)
			return
		}
		writeJSON(w, s.follows())
	case "dialback":
		if !callerOf(r).here {
			http.Error(w, "Only programs on this machine may have it dialled. There is /api/v1/channels.", http.StatusForbidden)
			return
		}
		s.dialBacks(w, r)
	case "share":
		s.share(w, r)
	case "tree":
		s.trees(w, r)
	case "broadcast":
		s.broadcast(w, r)
	case "events":
		s.config.Events.ServeEvents(s.ctx, w, r, false)
	default:
		http.Error(w, "There is no such page. There are /api/v1/channels, /api/v1/share, /api/v1/tree, /api/v1/events and, on this machine, /api/v1/status, /api/v1/followed and /api/v1/dialback.", http.StatusNotFound)
	}
}

// API answers what lies under /api/v1/ for the node's operator, until ctx ends: channels,
// tree, events and status, with addresses and whole node IDs. players returns the
// address of the players' listener, as http://HOST:PORT.
func (s *Server) API(ctx context.Context, players func() string) http.Handler {
	all := &routes{s, ctx}
	mux := http.NewServeMux()
	mux.HandleFunc(apiPrefix+"channels", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, api.FullChannels{Channels: s.statusAt(players()).Channels})
	})
	mux.HandleFunc(apiPrefix+"status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.statusAt(players())) })
	mux.HandleFunc(apiPrefix+"followed", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.follows()) })
	mux.HandleFunc(apiPrefix+"dialback", all.dialBacks)
	mux.HandleFunc(apiPrefix+"tree", all.trees)
	mux.HandleFunc(apiPrefix+"events", func(w http.ResponseWriter, r *http.Request) {
		s.config.Events.ServeEvents(ctx, w, r, true)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "There is no such page. Under /api/v1/ there are channels, tree, events, status, followed and dialback.", http.StatusNotFound)
	})
	return mux
}

func (s *routes) channels(w http.ResponseWriter, r *http.Request) {
	all := api.Channels{Channels: []api.PublicChannel{}}
	channels := s.config.Channels()
	if c, err := find(channels, r.URL.Query().Get("channel")); err == nil {
		channels = []*Channel{c}
	}
	for _, c := range channels {
		p := c.public(base(r), s.near(callerOf(r).addr))
		host := callerOf(r).host
		if s.config.Thumbnails {
			p.URLs.JPG = base(r) + "/" + c.id.Short() + thumbnailSuffix
		}
		if at := s.config.RTSP(host); at != "" {
			p.URLs.RTSP = at + "/" + c.id.Short()
		}
		if at := s.config.SRT(host); at != "" {
			p.URLs.SRT = at + "?streamid=read:" + c.id.Short()
		}
		if at := s.config.RTMP(host); at != "" {
			p.URLs.RTMP = at + "/" + c.id.Short()
		}
		p.URLs.Link = s.config.Link(c.id, host)
		p.Films = s.config.Broadcast != nil && callerOf(r).here && p.Root
		all.Channels = append(all.Channels, p)
	}
	writeJSON(w, all)
}

// statusAt returns the status; base is the address of the players' listener.
func (s *Server) statusAt(base string) api.Status {
	st := api.Status{Node: s.config.Node(), Channels: []api.ChannelStatus{}, Refused: s.Counts()}
	for _, c := range s.config.Channels() {
		cs := c.Status(base)
		cs.Share = s.config.Share(c.id)
		st.Channels = append(st.Channels, cs)
	}
	return st
}

// follows is whom the node's user follows. A channel that is open here is known better than by asking now and then.
func (s *Server) follows() api.Follows {
	f := api.Follows{Channels: []api.Followed{}}
	if s.config.Followed != nil {
		f.Channels = append(f.Channels, s.config.Followed()...)
	}
	open := s.config.Channels()
	for i, c := range f.Channels {
		at := slices.IndexFunc(open, func(o *Channel) bool { return o.id.String() == c.ID })
		if at < 0 {
			continue
		}
		f.Channels[i].Open = true
		if here := open[at].About(); here.State == api.Live {
			f.Channels[i].State, f.Channels[i].Title = string(api.Live), here.Title
		}
	}
	return f
}

// writeJSON answers with v, indented for people.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.Encode(v)
}
