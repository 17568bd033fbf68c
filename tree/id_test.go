package tree_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"relay/tree"
)

func TestIDSurvivesItsText(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{1})
	for range 1000 {
		var id tree.ID
		rnd.Read(id[:])
		s := id.String()
		if len(s) != tree.IDLen || len(id.Tag()) != tree.TagLen || len(id.Short()) != tree.ShortLen {
			t.Fatalf("text %q, tag %q, short %q", s, id.Tag(), id.Short())
		}
		if !strings.HasPrefix(s, id.Tag()) || !strings.HasPrefix(id.Tag(), id.Short()) {
			t.Fatalf("tag %q, short %q of %q", id.Tag(), id.Short(), s)
		}
		if got, err := tree.ParseID(s); err != nil || got != id {
			t.Fatalf("%q: %v, %v", s, got, err)
		}
	}
}

func TestOneIDHasOneText(t *testing.T) {
	good := tree.ID{1, 2, 3}.String()
	for _, s := range []string{
		"", good[1:], good + "a", "1" + good[1:], " " + good[1:], "ü" + good[2:], strings.ToUpper(good),
		good[:len(good)-1] + "b", good[:20] + "\n" + good[21:], good[:20] + "\n" + good[20:],
		good[:len(good)-2] + "\r\n", strings.Repeat("\n", tree.IDLen), good[:tree.IDLen-1],
	} {
		if id, err := tree.ParseID(s); err == nil || !id.IsZero() || !strings.Contains(err.Error(), "not a node ID") {
			t.Errorf("%q: %v, %v", s, id, err)
		}
	}
	if id, err := tree.ParseID(tree.ID{}.String()); err != nil || !id.IsZero() {
		t.Errorf("the zero ID: %v, %v", id, err)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(tree.ID{1, 2, 3}.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := tree.ParseID(s); err == nil && id.String() != s {
			t.Fatalf("%q was read as %v", s, id)
		}
	})
}
