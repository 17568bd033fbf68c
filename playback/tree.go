package playback

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	"relay/playback/api"
)

// treeTimeout bounds how long other nodes are asked for the tree: less than a whole answer
// may take.
const treeTimeout = AnswerTimeout - 2*time.Second

// near reports whether who asks is in this machine's own networks, and may know what the machines there are
// called.
func (s *routes) near(who netip.Addr) bool {
	return who.IsLoopback() || (who.IsPrivate() || who.IsLinkLocalUnicast()) && s.config.Own != nil && s.config.Own(who)
}

func (s *routes) trees(w http.ResponseWriter, r *http.Request) {
	channels := s.config.Channels()
	if name := r.URL.Query().Get("channel"); name != "" {
		c, err := find(channels, name)
		if err != nil {
			notFound(w, err)
			return
		}
		channels = []*Channel{c}
	}
	near := s.near(callerOf(r).addr)
	ctx, cancel := context.WithTimeout(r.Context(), treeTimeout)
	defer cancel()
	all := api.Trees{Channels: []api.ChannelTree{}}
	for _, c := range channels {
		t, err := s.config.Survey(ctx, c.id)
		if err != nil {
			http.Error(w, "The tree of channel "+c.id.Short()+" cannot be told now: "+err.Error()+".", http.StatusServiceUnavailable)
			return
		}
		t.ID, t.Name, t.Title, t.Watching = c.id.String(), c.id.Short(), c.title(), c.facts().Watching
		if t.Nodes == nil {
			t.Nodes = []api.TreeNode{}
		}
		if !near {
			t.ForStrangers()
		}
		t.Summarize()
		all.Channels = append(all.Channels, t)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(all) // thousands of nodes: not indented
}
