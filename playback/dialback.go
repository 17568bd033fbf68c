package playback

import (
	"context"
	"net/http"

	"relay/playback/api"
)

// dialBacks has other nodes dial this one, for each channel.
func (s *routes) dialBacks(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), treeTimeout)
	defer cancel()
	all := api.DialBacks{Channels: []api.ChannelDialBack{}}
	for _, c := range s.config.Channels() {
		d := api.ChannelDialBack{ID: c.id.String(), Name: c.id.Short(), Asked: []api.DialBack{}}
		if asked, err := s.config.DialBack(ctx, c.id); err != nil {
			d.Problem = err.Error()
		} else {
			d.Asked = append(d.Asked, asked...)
		}
		all.Channels = append(all.Channels, d)
	}
	writeJSON(w, all)
}
