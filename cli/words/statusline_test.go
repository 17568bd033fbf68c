package words

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/tree"
)

var fullHD = flv.Info{VideoCodec: "h264", AudioCodec: "aac", Width: 1920, Height: 1080, FrameRate: 59.94, HasVideo: true, HasAudio: true}

var (
	busySource = sourceAt(api.Live, 6_100_000, 9, api.SourceReport{
		KeyIntervalMs: 2000, Direct: 3, UploadBPS: 18_300_000, UploadLimitBPS: 40_000_000,
	})
	busyWatcher = WatchStatus{
		State: api.Live, Situation: api.Situation{Name: api.OnAir}, Attached: true, Info: fullHD, Depth: 2, Parent: tree.Place{Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.7:7144")}},
		Report: api.Report{BitRate: 6_100_000, DelayMs: 210, Players: 1, WatchReport: &api.WatchReport{Children: 3}},
	}
)

// sourceAt is a source in full HD whose farthest node is 210 ms behind, if it has a bit rate.
func sourceAt(state api.State, bitRate, watching int, r api.SourceReport) SourceStatus {
	s := SourceStatus{State: state, Situation: api.Situation{Name: map[api.State]api.SituationName{api.Live: api.OnAir, api.Waiting: api.Waits, api.Reconnecting: api.Paused}[state]}, Report: api.Report{BitRate: bitRate, Watching: &watching, SourceReport: &r}}
	if bitRate > 0 {
		s.Info, s.DelayMs = fullHD, 210
	}
	return s
}

// watcherAt is a watcher that has received nothing yet.
func watcherAt(s WatchStatus, r api.WatchReport) WatchStatus {
	s.WatchReport = &r
	return s
}

func TestStatusLines(t *testing.T) {
	for name, c := range map[string]struct {
		line  term.StatusLine
		style term.Style
		want  string
	}{
		"source": {
			busySource.Line(term.Style{}),
			term.Style{},
			"● LIVE 1080p60 H.264/AAC 6.1 Mb/s key 2.0s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source in ASCII": {
			busySource.Line(term.Style{ASCII: true}),
			term.Style{},
			"* LIVE 1080p60 H.264/AAC 6.1 Mb/s key 2.0s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source, 80 columns": {
			busySource.Line(term.Style{}),
			term.Style{Width: 80},
			"● LIVE 6.1 Mb/s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source, 40 columns": {busySource.Line(term.Style{}), term.Style{Width: 40}, "● LIVE 6.1 Mb/s | 3 direct, 9 watching"},
		"source, 20 columns": {busySource.Line(term.Style{}), term.Style{Width: 20}, "● LIVE"},
		"source, 5 columns":  {busySource.Line(term.Style{}), term.Style{Width: 5}, "● L…"},
		"source, 1 column":   {busySource.Line(term.Style{}), term.Style{Width: 1}, "…"},
		"source that waits":  {sourceAt(api.Waiting, 0, 0, api.SourceReport{}).Line(term.Style{}), term.Style{}, "○ WAITING for the encoder | 0 direct, 0 watching"},
		"source without its encoder": {
			sourceAt(api.Reconnecting, 0, 1, api.SourceReport{Direct: 1, UploadLimitBPS: 40_000_000}).Line(term.Style{}),
			term.Style{},
			"○ NO ENCODER, viewers stay connected | 1 direct, 1 watching | up 0 of 40 Mb/s",
		},
		"source on a LAN": {
			SourceStatus{State: api.Live, Situation: api.Situation{Name: api.OnAir}, Report: api.Report{BitRate: 800_000, Watching: new(2), SourceReport: &api.SourceReport{Direct: 2, UploadLANBPS: 1_600_000}}}.Line(term.Style{}),
			term.Style{},
			"● LIVE 800 kb/s | 2 direct, 2 watching | LAN 1.6 Mb/s",
		},
		"source with no limit": {
			sourceAt(api.Live, 0, 0, api.SourceReport{UploadBPS: 950_000, UploadLANBPS: 1_600_000}).Line(term.Style{}),
			term.Style{},
			"● LIVE | 0 direct, 0 watching | up 950 kb/s, LAN 1.6 Mb/s",
		},
		"watcher": {
			busyWatcher.Line(term.Style{}),
			term.Style{},
			"● LIVE 1080p60 H.264/AAC 6.1 Mb/s | delay 0.2 s | depth 2, child of 192.168.1.7:7144 | lost 0 | 3 children, 1 player",
		},
		"watcher, 80 columns": {
			busyWatcher.Line(term.Style{}),
			term.Style{Width: 80},
			"● LIVE 1080p60 6.1 Mb/s | delay 0.2 s | depth 2 | lost 0 | 3 children, 1 player",
		},
		"watcher of a source that tells how many watch": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Waits}, Attached: true, Depth: 1, ParentName: "kit\x1bchen", Report: api.Report{Players: 1, Watching: new(14)}}, api.WatchReport{Children: 1}).Line(term.Style{}),
			term.Style{},
			"○ WAITING for the broadcaster to begin | depth 1, child of \"kit\ufffdchen\" | lost 0 | 1 child, 14 watching, 1 here",
		},
		"watcher at which all watch": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Waits}, Attached: true, Depth: 1, ParentName: "a", Report: api.Report{Players: 2, Watching: new(2)}}, api.WatchReport{}).Line(term.Style{}),
			term.Style{},
			"○ WAITING for the broadcaster to begin | depth 1, child of \"a\" | lost 0 | 0 children, 2 watching",
		},
		"watcher without a player": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Waits}, Attached: true, Depth: 1, ParentName: "a", Report: api.Report{Watching: new(14)}}, api.WatchReport{}).Line(term.Style{}),
			term.Style{},
			"○ WAITING for the broadcaster to begin | depth 1, child of \"a\" | lost 0 | 0 children, 14 watching",
		},
		"watcher alone": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Reconnects, ForS: 12}, Depth: 2}, api.WatchReport{Lost: 3, Children: 1}).Line(term.Style{}),
			term.Style{},
			"○ RECONNECTING for 12s, looking for another way to the source | lost 3 | 1 child, 0 players",
		},
		"watcher that is called": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Waits}, Attached: true, Depth: 1, Reach: tree.Punchable}, api.WatchReport{}).Line(term.Style{}),
			term.Style{},
			"○ WAITING for the broadcaster to begin | depth 1, child of aaaaaaaa | lost 0 | reached half-way | 0 children, 0 players",
		},
		"watcher that nobody reaches": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Looking}, Reach: tree.Closed}, api.WatchReport{}).Line(term.Style{}),
			term.Style{},
			"○ LOOKING for the channel for 1s, no node of it has answered yet | lost 0 | not reached | 0 children, 0 players",
		},
		"watcher of nothing yet": {
			watcherAt(WatchStatus{Situation: api.Situation{Name: api.Waits}, Attached: true, Depth: 1, Parent: tree.Place{ID: tree.ID{7}}, Reach: tree.Open}, api.WatchReport{}).Line(term.Style{}),
			term.Style{},
			"○ WAITING for the broadcaster to begin | depth 1, child of " + tree.ID{7}.Short() + " | lost 0 | 0 children, 0 players",
		},
	} {
		if got := c.line.Draw(c.style); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestAStatusLineFitsAnyTerminal(t *testing.T) {
	lines := []term.StatusLine{busySource.Line(term.Style{}), busyWatcher.Line(term.Style{}), watcherAt(WatchStatus{Situation: api.Situation{Name: api.Looking, ForS: 5400}}, api.WatchReport{}).Line(term.Style{}), sourceAt("", 0, 0, api.SourceReport{}).Line(term.Style{})}
	for _, l := range lines {
		shorter := 0
		for w := 1; w < 200; w++ {
			plainText := l.Draw(term.Style{Width: w})
			n := utf8.RuneCountInString(plainText)
			if n == 0 || n > max(1, w-1) {
				t.Errorf("%d columns: %d characters: %q", w, n, plainText)
			}
			if n < shorter {
				t.Errorf("%d columns show less than %d: %q", w, w-1, plainText)
			}
			shorter = n
			coloured := l.Draw(term.Style{Width: w, Colour: true})
			for _, code := range []string{term.Bold, term.Faint, term.Red, term.Yellow, term.Green, term.Plain} {
				coloured = strings.ReplaceAll(coloured, code, "")
			}
			if coloured != plainText {
				t.Errorf("%d columns: in colours %q, without %q", w, coloured, plainText)
			}
		}
	}
}

func TestAStatusLineIsColouredWhereItMatters(t *testing.T) {
	st := term.Style{Colour: true}
	slow := sourceAt(api.Live, 6_100_000, 0, api.SourceReport{KeyIntervalMs: 8000, UploadBPS: 41_000_000, UploadLimitBPS: 40_000_000})
	for name, c := range map[string]struct {
		line term.StatusLine
		want string
	}{
		"live":               {busySource.Line(st), term.Green + "● LIVE" + term.Plain + " 1080p60"},
		"rare keyframes":     {slow.Line(st), term.Yellow + "key 8.0s" + term.Plain},
		"empty pictures":     {sourceAt(api.Live, 6_100_000, 0, api.SourceReport{DroppedTags: map[string]uint64{"empty_picture": 3}}).Line(st), term.Yellow + "dropped 3 empty pictures" + term.Plain},
		"flaws of two kinds": {sourceAt(api.Live, 6_100_000, 0, api.SourceReport{DroppedTags: map[string]uint64{"empty_picture": 3, "cut_sound": 1}}).Line(st), term.Yellow + "dropped 4 tags" + term.Plain},
		"full upload":        {slow.Line(st), term.Yellow + "up 41 of 40 Mb/s" + term.Plain},
		"loss":               {watcherAt(WatchStatus{Situation: api.Situation{Name: api.OnAir}}, api.WatchReport{Lost: 2}).Line(st), term.Yellow + "lost 2" + term.Plain},
		"no parent":          {watcherAt(WatchStatus{Situation: api.Situation{Name: api.SourceAway, ForS: 9}}, api.WatchReport{}).Line(st), term.Red + "○ SOURCE AWAY" + term.Plain},
	} {
		if got := c.line.Draw(st); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q has no %q", name, got, c.want)
		}
	}
}

func TestShareText(t *testing.T) {
	for _, c := range []struct {
		rate, bound int
		want        string
	}{
		{0, 40_000_000, "0 of 40 Mb/s"},
		{480_000, 4_000_000, "0.5 of 4 Mb/s"},
		{9_960_000, 1_500_000_000, "0 of 1.5 Gb/s"},
		{120_000, 800_000, "120 of 800 kb/s"},
	} {
		if got := shareText(c.rate, c.bound); got != c.want {
			t.Errorf("%d, %d: %q, want %q", c.rate, c.bound, got, c.want)
		}
	}
}
