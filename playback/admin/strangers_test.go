package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/playback/api"
)

func TestWhatIsRefusedToStrangersIsExported(t *testing.T) {
	m := NewMetrics("1")
	m.Watch(func() []api.ChannelStatus { return nil }, func() map[string]map[string]uint64 {
		return map[string]map[string]uint64{"link": {"gave_way": 745}, "gossip": {"share": 2, "unreached": 632}}
	})
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	NewServer(Config{Metrics: m, API: http.NotFoundHandler()}).Handler().ServeHTTP(w, r)
	for _, want := range []string{
		`relay_refused_strangers_total{at="link",reason="gave_way"} 745`,
		`relay_refused_strangers_total{at="gossip",reason="share"} 2`,
		`relay_refused_strangers_total{at="gossip",reason="unreached"} 632`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no %s in %s", want, w.Body)
		}
	}
}
