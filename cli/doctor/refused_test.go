package doctor

import (
	"strings"
	"testing"

	"relay/playback/api"
)

func node(id string, refused map[string]map[string]uint64) api.Node {
	return api.Node{ID: id, Refused: refused}
}

func TestDoctorExplainsWhatIsRefusedMoreAndMore(t *testing.T) {
	before := map[string]map[string]uint64{"link": {"gave_way": 5, "silent": 7}}
	now := map[string]map[string]uint64{"link": {"gave_way": 750, "silent": 7}, "gossip": {"unreached": 3, "new": 1}}
	for name, c := range map[string]struct {
		before, now api.Node
		want        []string
	}{
		"some grow": {node("a", before), node("a", now), []string{
			"In gossip the relay here refuses what is called new: 1 in the last seconds, 1 since it began.",
			"In gossip the relay here refuses nodes that do not answer at the address which they name: 3 in the last seconds, 3 since it began.",
			"At the port for other nodes the relay here refuses connections that others had to make room for, before they had said who they are: 745 in the last seconds, 750 since it began.",
		}},
		"none grows":          {node("a", now), node("a", now), nil},
		"it was another one":  {node("b", before), node("a", now), nil},
		"it did not run then": {node("", nil), node("a", now), nil},
	} {
		f := findings{}
		checkRefused(&f, c.before, c.now)
		var got []string
		for _, x := range f.all {
			got = append(got, x.Text)
			if !strings.Contains(x.Next, "relay_refused_strangers_total") {
				t.Errorf("%s: no next step in %+v", name, x)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s", name, strings.Join(got, "\n"))
		}
	}
}
