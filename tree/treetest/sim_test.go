package treetest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relay/tree/treetest"
)

// storm runs one random schedule of faults and then a time of calm. It returns what went
// wrong.
func storm(cfg treetest.Config) (*treetest.Sim, error) {
	cfg.MinDelay, cfg.MaxDelay = time.Millisecond, 40*time.Millisecond
	s := treetest.New(cfg)
	r := rand.New(rand.NewPCG(cfg.Seed, 3))
	if r.IntN(3) == 0 {
		s2 := cfg
		s2.Loss = 0.02
		s = treetest.New(s2)
	}
	root := s.AddRoot(2 + r.IntN(2))
	for range 5 + r.IntN(5) {
		s.After(time.Duration(r.Int64N(int64(500*time.Millisecond))), func() { s.Add(1+r.IntN(3), root) })
	}
	if err := s.Run(2 * time.Second); err != nil {
		return s, err
	}
	hosts := s.Hosts()
	any := func() *treetest.Host { return hosts[r.IntN(len(hosts))] }
	for range 3 + r.IntN(6) {
		h := any()
		switch k := r.IntN(8); {
		case k == 0 && h != root:
			h.Kill()
		case k == 1 && h != root:
			h.PowerOff()
		case k == 2:
			h.Freeze(time.Duration(r.Int64N(int64(3 * time.Second))))
		case k == 3:
			s.Cut(h, any(), time.Duration(r.Int64N(int64(3*time.Second))))
		case k == 4:
			a, d := any(), time.Duration(r.Int64N(int64(3*time.Second)))
			s.Cut(h, a, d)
			s.Cut(a, h, d)
		case k == 5 && h != root:
			h.Leave()
		case k == 6:
			h.Restart()
		case k == 7 && r.IntN(3) == 0:
			root.Kill()
			s.After(time.Duration(r.Int64N(int64(time.Second))), root.Restart)
		}
		if err := s.Run(time.Duration(r.Int64N(int64(600 * time.Millisecond)))); err != nil {
			return s, err
		}
	}
	if took, ok := s.RunUntil(15*time.Second, s.AllAttached); !ok {
		if s.Err() != nil {
			return s, s.Err()
		}
		return s, fmt.Errorf("after %v of calm not everyone is attached", took)
	}
	return s, s.Run(time.Second)
}

func TestNoScheduleOfFaultsMakesALoopOrLeavesANodeAlone(t *testing.T) {
	n := uint64(3000)
	if raceEnabled {
		n = 300
	}
	const parts = 8
	for part := range uint64(parts) {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < n; seed += parts {
				if _, err := storm(treetest.Config{Seed: seed}); err != nil {
					var trace bytes.Buffer
					_, again := storm(treetest.Config{Seed: seed, Trace: &trace})
					path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("seed-%d.txt", seed))
					if err := os.WriteFile(path, trace.Bytes(), 0o600); err != nil {
						t.Error(err)
					}
					t.Fatalf("seed %d: %v (again: %v); trace in %s", seed, err, again, path)
				}
			}
		})
	}
}

func TestTheSameSeedGivesTheSameTrace(t *testing.T) {
	for seed := range uint64(20) {
		var a, b bytes.Buffer
		_, errA := storm(treetest.Config{Seed: seed, Trace: &a})
		_, errB := storm(treetest.Config{Seed: seed, Trace: &b})
		if fmt.Sprint(errA) != fmt.Sprint(errB) || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatalf("seed %d: two runs differ (%d and %d bytes of trace)", seed, a.Len(), b.Len())
		}
		if a.Len() < 10_000 {
			t.Fatalf("seed %d: a trace of %d bytes, nothing has happened", seed, a.Len())
		}
	}
}
