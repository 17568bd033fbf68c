package web

import (
	"bytes"
	"os"
	"testing"
)

func TestThePageIsPackedAsItIs(t *testing.T) {
	now, err := Pack(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	want, err := unpack(now)
	if err != nil || len(want) < 50 || len(want["index.html"]) == 0 || len(want["lang/ja.js"]) == 0 {
		t.Fatalf("%d files, %v", len(want), err)
	}
	got, err := unpack(packed)
	if err != nil || len(got) != len(want) {
		t.Errorf("%d files, of %d: %v", len(got), len(want), err)
	}
	for name, body := range want {
		if on, err := os.ReadFile(name); err != nil || !bytes.Equal(on, body) {
			t.Errorf("%s is another: %v", name, err)
		}
		if !bytes.Equal(got[name], body) {
			t.Errorf("%s is not in web.z as it is: go generate ./playback/web", name)
		}
	}
	if _, err := unpack(now[:len(now)/2]); err == nil {
		t.Error("half of it is taken for the whole")
	}
}
