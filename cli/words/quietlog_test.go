package words

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestOneLineASecondOfEachKindWithACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, seen := observer.New(zapcore.DebugLevel)
		log := zap.New(newQuiet(core))
		for i := range 10_000 { // in 2 s
			addr := fmt.Sprintf("203.0.113.7:%d", 10_000+i)
			log.With(zap.String("addr", addr)).Info("RTMP connection not taken", zap.Int("i", i))
			log.Debug("http: panic serving " + addr)
			time.Sleep(200 * time.Microsecond)
		}
		log.Warn("another kind")
		time.Sleep(time.Hour)
		synctest.Wait()
		again, lines := map[string]int64{}, map[string]int{}
		for _, e := range seen.All() {
			kind := kindOf(e.Entry).text
			lines[kind]++
			n, _ := e.ContextMap()["again"].(int64)
			again[kind] += n
			if e.ContextMap()["i"] == nil && kind == "RTMP connection not taken" || e.ContextMap()["addr"] == nil && kind == "RTMP connection not taken" {
				t.Errorf("a line lacks its fields: %v", e.ContextMap())
			}
		}
		for _, kind := range []string{"RTMP connection not taken", "http: panic serving "} {
			if lines[kind] < 2 || lines[kind] > 4 || again[kind] != int64(10_000-1) {
				t.Errorf("%q: %d lines, %d again", kind, lines[kind], again[kind])
			}
		}
		if lines["another kind"] != 1 {
			t.Errorf("another kind: %d lines", lines["another kind"])
		}
	})
}

func TestTheLastLineIsWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, seen := observer.New(zapcore.DebugLevel)
		q := newQuiet(core)
		log := zap.New(q)
		for range 3 {
			log.Info("viewer gone")
		}
		log.Sync()
		if all := seen.All(); len(all) != 2 || all[1].ContextMap()["again"] != int64(2) {
			t.Errorf("%v", all)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(q.state.kinds) != 0 {
			t.Error("a kind is kept for ever")
		}
	})
}

func TestKindsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, seen := observer.New(zapcore.DebugLevel)
		q := newQuiet(core)
		log := zap.New(q)
		for i := range 5000 {
			log.Info("a stranger's " + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
		}
		q.state.mu.Lock()
		defer time.Sleep(time.Hour) // until no timer is left
		defer q.state.mu.Unlock()
		if len(q.state.kinds) > maxKinds+1 || seen.Len() > maxKinds+1 {
			t.Errorf("%d kinds, %d lines", len(q.state.kinds), seen.Len())
		}
	})
}
