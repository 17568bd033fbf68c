package budget

import (
	"testing"
	"time"
)

func TestABudgetIsSpentRefilledAndBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := Budgets[int]{Rate: 0.5, Burst: 2, Most: 4}
	for n := range 3 {
		if got := b.Spend(now, 1); got != (n < 2) {
			t.Fatalf("the %d. at once: %v", n+1, got)
		}
	}
	if w := b.Wait(now, 1); w != 2*time.Second {
		t.Errorf("the next one in %v", w)
	}
	now = now.Add(2 * time.Second)
	for n := range 2 {
		if got := b.Spend(now, 1); got != (n < 1) {
			t.Errorf("2 s later the %d.: %v", n+1, got)
		}
	}
	b.Give(now, 1, 5)
	if left := b.Left(now, 1); left != 2 {
		t.Errorf("%v left, the burst is the most", left)
	}
	b.Take(now, 1, 3)
	for k := range 100 {
		b.Spend(now, k)
	}
	if len(b.of) > 4 {
		t.Errorf("%d are remembered", len(b.of))
	}
}

func TestFullBudgetsAreForgottenFirst(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := Budgets[int]{Rate: 1, Burst: 8, Most: 8}
	b.Take(now, 0, 8) // must not get it back by a crowd of others
	for k := 1; k < 8; k++ {
		b.Spend(now, k)
	}
	now = now.Add(2 * time.Second)
	b.Spend(now, 99)
	if b.Left(now, 0) != 2 {
		t.Errorf("the spent one has %v", b.Left(now, 0))
	}
}
