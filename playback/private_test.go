package playback

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"relay/playback/api"
	"relay/relay/stream"
)

// A node that passes a private channel on unread says so, in every form, and lists it as what it is.
func TestAnUnreadChannelTurnsPlayersAwayInWords(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ch := NewChannel(s.id, s.ring, nil)
	ch.Private(false)
	addr := serve(t, Config{Channels: list(ch)})
	short := s.id.Short()
	for _, path := range []string{"/" + short + ".flv", "/" + short + ".mp4", "/" + short + ".ts", "/" + short + ".m3u", "/" + short + ".jpg", "/hls/" + short + "/index.m3u8"} {
		resp, _ := ask(t, addr, get(path))
		if text := body(t, resp); resp.StatusCode != http.StatusForbidden || !strings.Contains(text, "it cannot play it. To watch: relay watch with the whole link.") {
			t.Errorf("%s: %s %q", path, resp.Status, text)
		}
	}
	front, _ := ask(t, addr, get("/"))
	if text := body(t, front); strings.Contains(text, ".flv") || !strings.Contains(text, "nothing here plays them:\n\n  "+short+"  ") {
		t.Errorf("to a player at the front page: %q", text)
	}
	if _, err := NewServer(Config{Channels: list(ch)}).Direct(home, short, flvForm); err != errUnread {
		t.Errorf("over RTMP: %v", err)
	}
	if c := ch.public("", true); !c.Private || !c.Unread {
		t.Errorf("%+v", c)
	}
	ch.Carries(func() stream.Stats { return stream.Stats{Counts: stream.Counts{Lost: 3}, Came: time.Now(), BitRate: 7} })
	if st := ch.Status(""); st.Came.IsZero() || st.Chunks.Lost != 3 || st.BitRate != 7 || ch.public("", true).BitRate != 7 {
		t.Errorf("of what it passes on it says %+v", st)
	}
	own := NewChannel(s.id, s.ring, nil)
	own.Private(true)
	if c := own.about(api.Facts{}, 0); !c.Private || c.Unread {
		t.Errorf("%+v", c)
	}
	if _, err := playable(list(own)(), short); err != nil {
		t.Error(err)
	}
}
