//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"relay/playback/api"
)

// nodeStatus asks the node that plays a channel at address for its status.
func nodeStatus(address string) (api.Status, error) {
	var st api.Status
	u, err := url.Parse(address)
	if err != nil {
		return st, err
	}
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + u.Host + "/api/v1/status")
	if err == nil && resp.StatusCode == http.StatusNotFound { // a node of an older build
		resp.Body.Close()
		resp, err = client.Get("http://" + u.Host + "/api/status")
	}
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, fmt.Errorf("status answers %s", resp.Status)
	}
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// channelStatus returns the status of the node's only channel.
func channelStatus(address string) (api.ChannelStatus, error) {
	st, err := nodeStatus(address)
	if err != nil {
		return api.ChannelStatus{}, err
	}
	if len(st.Channels) != 1 {
		return api.ChannelStatus{}, fmt.Errorf("%d channels", len(st.Channels))
	}
	return st.Channels[0], nil
}

// status is channelStatus for a node that must answer.
func status(t *testing.T, address string) api.ChannelStatus {
	t.Helper()
	st, err := channelStatus(address)
	if err != nil {
		t.Fatalf("status at %s: %v", address, err)
	}
	return st
}

// family says which watcher is whose parent, as the nodes themselves report.
type family struct {
	ids    map[*watcher]string
	status map[*watcher]api.ChannelStatus
}

func familyOf(t *testing.T, ws []*watcher) family {
	t.Helper()
	f := family{map[*watcher]string{}, map[*watcher]api.ChannelStatus{}}
	for _, w := range ws {
		st, err := nodeStatus(w.url)
		if err != nil || len(st.Channels) != 1 {
			t.Fatalf("%s: %d channels, %v", w.name, len(st.Channels), err)
		}
		f.ids[w] = st.Node.ID
		f.status[w] = st.Channels[0]
	}
	return f
}

// below counts the watchers that have w on their path from the root.
func (f family) below(w *watcher) int {
	n := 0
	for other, st := range f.status {
		for _, id := range st.Path {
			if other != w && id == f.ids[w] {
				n++
			}
		}
	}
	return n
}

// inner returns one of the watchers ws at that depth that has the most descendants, nil if
// there is no watcher at that depth.
func (f family) inner(ws []*watcher, depth int) *watcher {
	var best *watcher
	for _, w := range ws {
		if f.status[w].Depth == depth && (best == nil || f.below(w) > f.below(best)) {
			best = w
		}
	}
	return best
}

// depth returns the greatest depth of all.
func (f family) depth() int {
	d := 0
	for _, st := range f.status {
		d = max(d, st.Depth)
	}
	return d
}
