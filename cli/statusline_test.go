package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/playback/api"
)

var fullHD = media{
	Info:    flv.Info{VideoCodec: "h264", AudioCodec: "aac", Width: 1920, Height: 1080, FrameRate: 59.94, HasVideo: true, HasAudio: true},
	BitRate: 6_100_000,
	Key:     2 * time.Second,
}

var (
	busySource = sourceStatus{
		State: api.Live, Media: fullHD, Direct: 3, Watching: 9,
		Up: 18_300_000, Limit: 40_000_000, Delay: 210 * time.Millisecond,
	}
	busyWatcher = watchStatus{
		State: api.Live, Media: media{Info: fullHD.Info, BitRate: fullHD.BitRate}, Delay: 210 * time.Millisecond, Depth: 2, Parent: "192.168.1.7:7144", Children: 3, Players: 1,
	}
)

func TestStatusLines(t *testing.T) {
	for name, c := range map[string]struct {
		line  term.StatusLine
		style term.Style
		want  string
	}{
		"source": {
			busySource.line(term.Style{}),
			term.Style{},
			"● LIVE 1080p60 H.264/AAC 6.1 Mb/s key 2.0s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source in ASCII": {
			busySource.line(term.Style{ASCII: true}),
			term.Style{},
			"* LIVE 1080p60 H.264/AAC 6.1 Mb/s key 2.0s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source, 80 columns": {
			busySource.line(term.Style{}),
			term.Style{Width: 80},
			"● LIVE 6.1 Mb/s | 3 direct, 9 watching | up 18 of 40 Mb/s | delay 0.2 s",
		},
		"source, 40 columns": {busySource.line(term.Style{}), term.Style{Width: 40}, "● LIVE 6.1 Mb/s | 3 direct, 9 watching"},
		"source, 20 columns": {busySource.line(term.Style{}), term.Style{Width: 20}, "● LIVE"},
		"source, 5 columns":  {busySource.line(term.Style{}), term.Style{Width: 5}, "● L…"},
		"source, 1 column":   {busySource.line(term.Style{}), term.Style{Width: 1}, "…"},
		"source that waits":  {sourceStatus{State: api.Waiting}.line(term.Style{}), term.Style{}, "○ WAITING for the encoder | 0 direct, 0 watching"},
		"source without its encoder": {
			sourceStatus{State: api.Reconnecting, Direct: 1, Watching: 1, Limit: 40_000_000}.line(term.Style{}),
			term.Style{},
			"○ NO ENCODER, viewers stay connected | 1 direct, 1 watching | up 0 of 40 Mb/s",
		},
		"source on a LAN": {
			sourceStatus{State: api.Live, Media: media{BitRate: 800_000}, Direct: 2, Watching: 2, UpNear: 1_600_000}.line(term.Style{}),
			term.Style{},
			"● LIVE 800 kb/s | 2 direct, 2 watching | LAN 1.6 Mb/s",
		},
		"source with no limit": {
			sourceStatus{State: api.Live, Up: 950_000, UpNear: 1_600_000}.line(term.Style{}),
			term.Style{},
			"● LIVE | 0 direct, 0 watching | up 950 kb/s, LAN 1.6 Mb/s",
		},
		"watcher": {
			busyWatcher.line(term.Style{}),
			term.Style{},
			"● LIVE 1080p60 H.264/AAC 6.1 Mb/s | delay 0.2 s | depth 2, child of 192.168.1.7:7144 | lost 0 | 3 children, 1 player",
		},
		"watcher, 80 columns": {
			busyWatcher.line(term.Style{}),
			term.Style{Width: 80},
			"● LIVE 1080p60 6.1 Mb/s | delay 0.2 s | depth 2 | lost 0 | 3 children, 1 player",
		},
		"watcher alone": {
			watchStatus{Alone: 12 * time.Second, Lost: 3, Children: 1, Depth: 2}.line(term.Style{}),
			term.Style{},
			"○ NOT CONNECTED for 12 s, looking for a way in | lost 3 | 1 child, 0 players",
		},
		"watcher of nothing yet": {
			watchStatus{State: api.Waiting, Depth: 1, Parent: "abcdefgh"}.line(term.Style{}),
			term.Style{},
			"○ WAITING for the source to send | depth 1, child of abcdefgh | lost 0 | 0 children, 0 players",
		},
	} {
		if got := c.line.Draw(c.style); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestAStatusLineFitsAnyTerminal(t *testing.T) {
	lines := []term.StatusLine{busySource.line(term.Style{}), busyWatcher.line(term.Style{}), watchStatus{Alone: time.Hour}.line(term.Style{}), sourceStatus{}.line(term.Style{})}
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
	slow := busySource
	slow.Media.Key, slow.Up = 8*time.Second, 41_000_000
	for name, c := range map[string]struct {
		line term.StatusLine
		want string
	}{
		"live":           {busySource.line(st), term.Green + "● LIVE" + term.Plain + " 1080p60"},
		"rare keyframes": {slow.line(st), term.Yellow + "key 8.0s" + term.Plain},
		"full upload":    {slow.line(st), term.Yellow + "up 41 of 40 Mb/s" + term.Plain},
		"loss":           {watchStatus{State: api.Live, Lost: 2}.line(st), term.Yellow + "lost 2" + term.Plain},
		"no parent":      {watchStatus{Alone: time.Second}.line(st), term.Red + "○ NOT CONNECTED" + term.Plain},
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
