package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/term"
	"relay/playback/api"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// situationAt began so long before noon.
func situationAt(name api.SituationName, ago time.Duration) api.Situation {
	s := api.Situation{Name: name, Since: noon.Add(-ago), ForS: int64(ago / time.Second)}
	if name == api.OnAir {
		s = api.Situation{Name: name}
	}
	return s
}

func TestEverySituationHasWords(t *testing.T) {
	for key := range sights {
		if !slices.Contains(api.Situations, key.name) {
			t.Errorf("there are words for %s, which there is not", key.name)
		}
	}
	for _, name := range api.Situations {
		for _, ago := range []time.Duration{0, 3 * time.Second, 90 * time.Minute, 30 * time.Hour} {
			for _, at := range []struct{ source, private bool }{{}, {source: true}, {private: true}} {
				s := situationAt(name, ago)
				says := Situation(s, at.source, at.private, noon)
				line := term.StatusLine{situationPieces(term.Style{}, s, at.source, at.private, noon)}.Draw(term.Style{})
				if !strings.HasSuffix(says.Text, ".") || says.Next == "" && name != api.OnAir && name != api.ClosedHere || says.Next != "" && !strings.HasSuffix(says.Next, ".") {
					t.Errorf("%s: no whole sentences: %q %q", name, says.Text, says.Next)
				}
				if all := line + says.Text + says.Next; strings.Contains(all, "%") || strings.Contains(all, "0001") {
					t.Errorf("%s: %s", name, all)
				}
				if lit := strings.HasPrefix(line, "●"); lit != (name == api.OnAir) || !regexp.MustCompile(`^[●○] [A-Z]{2,}`).MatchString(line) {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
	}
}

func TestWhatIsSaidOfASituation(t *testing.T) {
	for _, c := range []struct {
		s               api.Situation
		source, private bool
		line, text      string
	}{
		{situationAt(api.Looking, 12*time.Second), false, false, "○ LOOKING for the channel for 12s, no node of it has answered yet", "No node of the channel has answered yet."},
		{situationAt(api.Looking, 90*time.Minute), false, false, "○ LOOKING for the channel for 1h30m, no node of it answers", "No node of the channel has answered since 10:30."},
		{situationAt(api.Unknown, 3*time.Second), false, true, "○ NOT FOUND there for 3s, the secret may be wrong", "A node at the link's address answers, and does not carry this channel, or the secret is another one."},
		{situationAt(api.Paused, 20*time.Second), false, false, "○ PAUSED for 20s, the source sends nothing", "The source has sent nothing since 11:59."},
		{situationAt(api.Paused, 20*time.Second), true, false, "○ NO ENCODER, viewers stay connected", "No encoder has sent anything since 11:59."},
		{situationAt(api.Over, 30*time.Hour), false, false, "○ ENDED at 2026-11-29 06:00, goes on if the broadcast does", "The broadcast has ended: the last picture was sent at 2026-11-29 06:00."},
		{situationAt(api.SourceAway, 9*time.Second), false, false, "○ SOURCE AWAY for 9s, goes on when it is back", "The source is away: nobody has had a way to it since 11:59."},
	} {
		line := term.StatusLine{situationPieces(term.Style{}, c.s, c.source, c.private, noon)}.Draw(term.Style{})
		if line != c.line {
			t.Errorf("%s:\n got %s\nwant %s", c.s.Name, line, c.line)
		}
		if says := Situation(c.s, c.source, c.private, noon); says.Text != c.text {
			t.Errorf("%s:\n got %s\nwant %s", c.s.Name, says.Text, c.text)
		}
	}
}

func TestEachChangeIsSaidOnce(t *testing.T) {
	var told Told
	said := func(name api.SituationName) string {
		return told.Note(situationAt(name, time.Minute), false, false, noon)
	}
	if s := said(api.Looking); s != "" {
		t.Errorf("a search is told of by others, and it says %s", s)
	}
	for range 2 {
		if s := said(api.Paused); s != "The source has sent nothing since 11:59. This node stays connected and goes on when it does." {
			t.Error(s)
		}
		for range 3 {
			if s := said(api.Paused); s != "" {
				t.Errorf("again: %s", s)
			}
		}
		said(api.OnAir)
	}
	told = Told{}
	for name, want := range map[api.SituationName]string{
		api.Waits: "", api.Paused: "No encoder has sent anything since 11:59. Start it again to go on; viewers stay connected.", api.Over: "",
		api.Stuck: "The encoder is connected, and has sent nothing since 11:59. If it does not go on, stop it and start it again; viewers stay connected.",
	} {
		if s := told.Note(situationAt(name, time.Minute), true, false, noon); s != want {
			t.Errorf("at the source: %q, want %q", s, want)
		}
	}
	told = Told{Live: true}
	said(api.Looking)
	if s := said(api.OnAir); s != "" {
		t.Errorf("at first: %s", s)
	}
	said(api.Paused)
	if s := said(api.OnAir); s != "The channel is live." {
		t.Errorf("again: %q", s)
	}
}
