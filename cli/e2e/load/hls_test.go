//go:build e2e && linux

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback/remux"
)

func TestAPlayerOfHLSChecksWhatItGets(t *testing.T) {
	h := publishedTags(t, 900) // no more segments than a playlist has
	keys := []int{}
	for i, s := range h.tags {
		if flv.Classify(s.tag).Key {
			keys = append(keys, i)
		}
	}
	for _, tt := range []struct {
		name   string
		change func([]flv.Tag) []flv.Tag
		want   flaws
	}{
		{"as sent", func(g []flv.Tag) []flv.Tag { return g }, flaws{}},
		{"one lost", func(g []flv.Tag) []flv.Tag { return slices.Delete(g, 150, 151) }, flaws{lost: 1}},
	} {
		out := remux.NewHLS()
		t.Cleanup(out.Close)
		if err := out.Write(flv.HeaderBatch(h.clip.head())); err != nil {
			t.Fatal(err)
		}
		// Two segments, of which it plays the second one, before it reads on.
		if err := out.Write(flv.BatchOf(tagsFrom(h, 0)[:keys[2]+1]...)); err != nil {
			t.Fatal(err)
		}
		polled := make(chan struct{}, 1000)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out.ServeHTTP(w, r)
			if strings.HasSuffix(r.URL.Path, "m3u8") {
				polled <- struct{}{}
			}
		}))
		t.Cleanup(server.Close)

		ctx, cancel := context.WithCancel(t.Context())
		a, err := openAudience(h, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.attach(ctx, 1, playingHLS(server.URL+"/hls/x/index.m3u8")); err != nil {
			t.Fatal(err)
		}
		<-polled
		rest := tt.change(slices.Clone(tagsFrom(h, keys[2]+1)))
		if err := out.Write(flv.BatchOf(rest...)); err != nil {
			t.Fatal(err)
		}
		if err := out.End(); err != nil {
			t.Fatal(err)
		}
		reached := wait(ctx, drainTime, func() bool { return a.has(len(h.tags)) || a.failure() != nil })
		cancel()
		got, err := a.verdict(keys[1]+10, len(h.tags)), a.failure()
		a.close()
		if reached != nil || err != nil || got != tt.want {
			t.Errorf("%s: %v, want %v; %v, %v", tt.name, got, tt.want, reached, err)
		}
		if a.polls.Load() < 2 || a.fetches.Load() < 2 {
			t.Errorf("%s: %d playlists, %d segments", tt.name, a.polls.Load(), a.fetches.Load())
		}
	}
}

func TestAPlaylistIsRead(t *testing.T) {
	list, err := parseHLS("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:7\n" +
		"#EXT-X-MAP:URI=\"init-7.mp4\"\n#EXTINF:2.000,\n7.mp4\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-8.mp4\"\n#EXTINF:2.000,\n8.mp4\n")
	want := []hlsSegment{{7, "7.mp4", "init-7.mp4"}, {8, "8.mp4", "init-8.mp4"}}
	if err != nil || list.target != 3*time.Second || !slices.Equal(list.segments, want) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []string{"", "<html>", "#EXTM3U\n", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n1.mp4\n", "#EXTM3U\n#EXT-X-TARGETDURATION:x\n"} {
		if list, err := parseHLS(bad); err == nil {
			t.Errorf("%q is %+v", bad, list)
		}
	}
}
