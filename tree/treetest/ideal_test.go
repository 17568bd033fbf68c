package treetest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"relay/tree/treetest"
)

func TestTheIdealTreeHasTheStrongestHighest(t *testing.T) {
	for _, test := range []struct {
		root  int
		slots []int
		want  treetest.Levels
	}{
		{2, nil, treetest.Levels{1}},
		{2, []int{0, 0, 3, 1}, treetest.Levels{1, 2, 2}},
		{1, []int{1, 1, 1}, treetest.Levels{1, 1, 1, 1}},
		{1, []int{0, 0, 0}, treetest.Levels{1, 1}}, // there is no place for two of them
		{8, []int{4, 4, 4, 4, 4, 4, 4, 4, 4, 4}, treetest.Levels{1, 8, 2}},
	} {
		if got := treetest.Ideal(test.root, test.slots); !slices.Equal(got, test.want) {
			t.Errorf("%d and %v: %v, want %v", test.root, test.slots, got, test.want)
		}
	}
	if got := (treetest.Levels{1, 2, 2}).Mean(); got != 1.5 {
		t.Errorf("mean depth %v, want 1.5", got)
	}
}

func TestTheIdealTreeHasClosedOnesAsLeavesAndPunchableOnesAboveWhomTheyMeet(t *testing.T) {
	open := func(slots int) treetest.Member { return treetest.Member{Slots: slots} }
	closed := func(slots int) treetest.Member { return treetest.Member{Slots: slots, Kind: treetest.Closed} }
	punchable := func(slots int) treetest.Member { return treetest.Member{Slots: slots, Kind: treetest.Punchable} }
	for _, test := range []struct {
		name  string
		root  int
		of    []treetest.Member
		meets bool
		want  treetest.Levels
	}{
		{"all are open", 1, []treetest.Member{open(0), open(0), open(1), open(3)}, true, treetest.Levels{1, 1, 3}},
		{"a closed one is a leaf", 1, []treetest.Member{closed(9), open(2), closed(9)}, true, treetest.Levels{1, 1, 2}},
		{"nobody else can serve", 1, []treetest.Member{closed(9), closed(9)}, true, treetest.Levels{1, 1}},
		{"they meet", 1, []treetest.Member{punchable(2), punchable(0), open(0)}, true, treetest.Levels{1, 1, 2}},
		{"they do not", 1, []treetest.Member{punchable(2), punchable(0), punchable(0)}, false, treetest.Levels{1, 1}},
		{"who meets leaves the open one's slot", 2, []treetest.Member{open(1), punchable(2), punchable(0), closed(0)}, true, treetest.Levels{1, 2, 2}},
	} {
		meet := func(i, k int) bool { return test.meets }
		if got := treetest.IdealOf(test.root, test.of, meet); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAScriptSaysWhoComesAndGoes(t *testing.T) {
	got, err := treetest.ReadScript(strings.NewReader("# join leave slots\n\n0 90.5 4\n 1.25 2 0\n"))
	want := []treetest.Visit{{Join: 0, Leave: 90500 * time.Millisecond, Slots: 4}, {Join: 1250 * time.Millisecond, Leave: 2 * time.Second}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"1 2", "a b c", "5 4 1", "-1 4 1", "1 2 -3", "NaN 2 1"} {
		if vs, err := treetest.ReadScript(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v, %v", bad, vs, err)
		}
	}
}
