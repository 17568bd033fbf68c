package treedraw

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"relay/cli/term"
	"relay/cli/term/termtest"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

// sampleStatus is the status of the relay that returns drawtest.Sample.
func sampleStatus() *api.Status {
	return &api.Status{Channels: []api.ChannelStatus{{
		Channel:  api.Channel{BitRate: 3_000_000, ViewerCount: 1, State: api.Live},
		Parent:   &api.Peer{ID: "aaaaaaaaaaaaaaaaaaaa", Addr: "203.0.113.7:7144"},
		Children: []api.Child{{Peer: api.Peer{ID: "cccccccccccccccccccc", Addr: "192.168.1.9:7144", Near: true}}},
	}}}
}

func sampleTop() []api.TopChannel {
	return Channels(api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}, sampleStatus())
}

func TestTopIsDrawn(t *testing.T) {
	termtest.WantLines(t, Tables(term.Style{}, sampleTop()), `
relay top  karp6ufz
6 nodes, 3 deep, 3 slots free, 1.2 s behind at worst, 1 chunk lost, 1 orphan, 14 watching, here: live, 3.0 Mb/s, 1 player

NODE                         HOP▾  DELAY  LOST  DOWN    UP    CAP  SLOTS    AGE  LINK
aaaaaaaa source                 0   0 ms     0     -  6.0M   6.0M    2/2  1d01h  -
bbbbbbbb here "living room"     1  12 ms     0  3.0M  3.0M  12.0M    1/4  1h02m  TLS far 203.0.113.7:7144
eeeeeeee cut off "source"       1      -     0     -     0      0    0/0     5s  TLS
cccccccc                        2  1.2 s     1     -     0   3.0M    2/1  1m01s  TLS near 192.168.1.9:7144
dddddddd                        3      -     0     -     -      -    0/0      -  TLS
`)
}

// "-" stands for what a relay on another machine does not tell.
func TestTopOfARelayElsewhere(t *testing.T) {
	all := Channels(api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}, nil)
	got := Tables(term.Style{ASCII: true}, all)
	termtest.WantLines(t, got[3:6], `
NODE                         HOP*  DELAY  LOST  DOWN    UP  CAP  SLOTS    AGE  LINK
aaaaaaaa source                 0   0 ms     0     -  6.0M    -    2/2  1d01h  -
bbbbbbbb here "living room"     1  12 ms     0     -  3.0M    -    1/4  1h02m  TLS
`)
}

func TestTopFitsEveryScreen(t *testing.T) {
	big := sampleTop()
	for i := range 60 {
		n := int64(i)
		big[0].Nodes = append(big[0].Nodes, api.TopNode{ID: fmt.Sprintf("n%07d", i), Hop: 2, Lost: n, DelayMs: &n, UpBPS: new(n * 1e8), AgeS: &n, Slots: i})
	}
	big[0].Title = "a very long title that goes on and on \x1b[2J"
	big[0].Problem = "no way"
	big[0].Port = "The router at 192.168.1.1 has opened 203.0.113.7:7144 by UPnP, for TCP and UDP; nobody has tried it yet."
	for w := 1; w <= 130; w += 3 {
		for h := 1; h <= 40; h++ {
			for _, s := range []Top{
				{Channels: big, Order: ByLoss, Offset: 17, Trouble: "no relay answers"},
				{Channels: big, Order: ByHop, Offset: 1 << 20},
				{},
			} {
				s.Width, s.Height, s.Clock = w, h, "12:00:00"
				lines := s.Lines()
				if len(lines) > h {
					t.Fatalf("%d×%d: %d lines", w, h, len(lines))
				}
				for _, l := range lines {
					if term.Width(term.Cell{Text: l}) > w {
						t.Fatalf("%d×%d: %q is too wide", w, h, l)
					}
				}
			}
		}
	}
}

// A phone held upright has some 40 columns.
func TestTopOnAPhone(t *testing.T) {
	s := Top{Style: term.Style{Width: 40}, Height: 8, Channels: sampleTop(), Order: ByDelay, Clock: "12:34:56"}
	termtest.WantLines(t, s.Lines(), `
12:34:56  relay top  karp6ufz
NODE             HOP  DELAY▾  LOST    UP
cccccccc           2   1.2 s     1     0
bbbbbbbb here …    1   12 ms     0  3.0M
aaaaaaaa source    0    0 ms     0  6.0M
dddddddd           3       -     0     -
eeeeeeee cut o…    1       -     0     0
q quit  sort: h hop, d delay, l loss, u…
`)
}

func TestTopScrolls(t *testing.T) {
	s := Top{Style: term.Style{Width: 60, ASCII: true}, Height: 5, Channels: sampleTop(), Order: ByHop, Offset: 2}
	termtest.WantLines(t, s.Lines(), `
relay top  karp6ufz
NODE            HOP*  DELAY  LOST    UP    CAP  SLOTS    AGE
eeeeeeee cut ~     1      -     0     0      0    0/0     5s
cccccccc           2  1.2 s     1     0   3.0M    2/1  1m01s
3-4 of 5  q quit  sort: h hop, d delay, l loss, u upload  j~
`)
	s.Offset = 100 // further down than there are nodes
	if got := s.Lines(); !strings.HasPrefix(got[3], "dddddddd") {
		t.Errorf("%q", got)
	}
}

func TestTopSortsTheMostFirst(t *testing.T) {
	for o, want := range map[Order]string{ByHop: "abecd", ByDelay: "cbade", ByLoss: "cabde", ByUpload: "abced"} {
		var got string
		for _, r := range o.sorted(sampleTop()[0].Nodes) {
			got += r.ID[:1]
		}
		if got != want {
			t.Errorf("%c: %s, want %s", o, got, want)
		}
	}
}

func TestTopMarksThoseThatLose(t *testing.T) {
	before, now := sampleTop(), sampleTop()
	now[0].Nodes[1].Lost = 3
	now[0].Nodes = append(now[0].Nodes, api.TopNode{ID: "new", Lost: 5})
	markLosses(before, now)
	for _, r := range now[0].Nodes {
		if r.Losing != (r.ID == "bbbbbbbbbbbb") {
			t.Errorf("%s: losing %v", r.ID, r.Losing)
		}
	}
}

func TestTopJSONTellsWhatIsNotKnown(t *testing.T) {
	b, err := json.Marshal(sampleTop()[0].Nodes[3])
	want := `{"id":"dddddddddddd","name":"","hop":3,"source":false,"here":false,"cut_off":false,"down_bps":null,"up_bps":null,"cap_bps":null,"children":0,"slots":0,"delay_ms":null,"lost":0,"age_s":null,"link":"","addr":""}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v\nwant %s", b, err, want)
	}
}

func TestTopTellsWhatTheRouterDid(t *testing.T) {
	trees := api.Trees{Channels: []api.ChannelTree{{ID: "ch", Name: "ch"}}}
	for text, want := range map[string]bool{"The router at 192.168.1.1 has\x1b opened the port.": true, "": false} {
		st := &api.Status{Node: api.Node{PortMapping: &api.PortMapping{Text: text}}}
		lines := Top{Style: term.Style{ASCII: true, Width: 32}, Channels: Channels(trees, st)}.Lines()
		drawn := strings.Join(lines, "\n")
		if strings.Contains(drawn, "The router at 192.168.1.1 has\ufffd\n  opened the port.\n") != want || strings.Contains(drawn, "\x1b") {
			t.Errorf("%q: %q", text, drawn)
		}
	}
}
