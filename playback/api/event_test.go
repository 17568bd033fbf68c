package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// What a field of an event may not be shown to everyone is one that nobody thought of.
func TestPublicEventsHaveNoSecrets(t *testing.T) {
	e := Event{
		Type: EventStart, Channel: "c", NodeID: "whole", Addr: "10.0.0.1:5", Parent: new("p"), ParentAddr: "10.0.0.2:5", Error: "oops", AliasOf: EventMedia, Missed: 3,
		Start: &Start{Link: "relay://x", Key: "secret"}, Report: &Report{}, Warning: &Warning{Text: "secret"},
	}
	text, err := json.Marshal(e.Public())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"seq":0,"time":"0001-01-01T00:00:00Z","event":"start","channel":"c"}`; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// encoding/json leaves out two fields of one name at the same depth without a word.
func TestNoFieldOfAnEventHidesAnother(t *testing.T) {
	seen := map[string]string{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for f := range typ.Fields() {
			if f.Anonymous {
				walk(f.Type.Elem())
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if other, ok := seen[name]; ok {
				t.Errorf("%s is both in %s and in %s", name, other, typ)
			}
			seen[name] = typ.String()
		}
	}
	walk(reflect.TypeFor[Event]())
}
