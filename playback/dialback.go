package playback

import (
	"context"
	"net/http"
	"sync"

	"relay/playback/api"
)

// dialBacks has other nodes dial this one, for each channel.
func (s *routes) dialBacks(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), treeTimeout)
	defer cancel()
	channels := s.config.Channels()
	all := api.DialBacks{Channels: make([]api.ChannelDialBack, len(channels))}
	var asking sync.WaitGroup // all channels have the same time
	for i, c := range channels {
		asking.Go(func() {
			d := api.ChannelDialBack{ID: c.id.String(), Name: c.id.Short(), Asked: []api.DialBack{}}
			if asked, err := s.config.DialBack(ctx, c.id); err != nil {
				d.Problem = err.Error()
			} else {
				d.Asked = append(d.Asked, asked...)
			}
			all.Channels[i] = d
		})
	}
	asking.Wait()
	writeJSON(w, all)
}
