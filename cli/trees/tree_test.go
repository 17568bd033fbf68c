package trees

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"relay/cli/ask"
	"relay/cli/term"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

func TestWatchDrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	s := &treeShow{Relay: ask.New("127.0.0.1:7145", nil), watch: true, t: &term.Terminal{OutTTY: true}, out: &out}
	large := api.Trees{Channels: []api.ChannelTree{drawtest.Wide(500, 3)}}
	small := api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}
	up := 0
	for _, trees := range []api.Trees{small, large, small, {}} {
		out.Reset()
		if err := s.show(trees); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if want := fmt.Sprintf("\r\x1b[%dA", up); up > 0 != strings.HasPrefix(text, want) {
			t.Errorf("%.20q does not begin with %q", text, want)
		}
		if !strings.HasSuffix(text, "\x1b[J") {
			t.Errorf("%q leaves what was below", text)
		}
		up = strings.Count(text, "\n")
		if up > 23 || strings.Count(text, "\x1b[K\n") != up {
			t.Errorf("%d lines on a screen of 24", up)
		}
	}
}

func TestJSONIsOneLineForEachSecond(t *testing.T) {
	trees := api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}
	for _, watch := range []bool{true, false} {
		var out bytes.Buffer
		s := &treeShow{Relay: ask.New("127.0.0.1:7145", nil), json: true, watch: watch, t: &term.Terminal{OutTTY: true}, out: &out}
		for range 2 {
			if err := s.show(trees); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(out.String(), "\n"); watch && n != 2 || !watch && n < 50 {
			t.Errorf("watch %v: %d lines", watch, n)
		}
		dec := json.NewDecoder(&out)
		for range 2 {
			var got api.Trees
			if err := dec.Decode(&got); err != nil || !slices.Equal(got.Channels[0].Nodes, trees.Channels[0].Nodes) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
}
