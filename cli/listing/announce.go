package listing

import (
	"context"
	"crypto/ed25519"
	"net/url"
	"sync"

	"relay/cli/words"
	"relay/cli/words/listed"
	"relay/playback/directory"
)

// Announce is where a channel is to be listed, and what its broadcaster says of it. Its zero value is nowhere.
type Announce struct {
	To      []*url.URL
	Says    directory.Announcement
	Version string // the program's
}

// Run keeps the channel on all lists, until ctx ends. say is told what people shall know, and warn what goes wrong, once
// each.
func (a Announce) Run(ctx context.Context, key ed25519.PrivateKey, what func(context.Context) directory.Announcement, say func(string), warn func(words.Warning)) {
	var all sync.WaitGroup
	for _, u := range a.To {
		failed := false
		one := directory.Announcer{
			URL: u, Key: key, What: what, Client: directory.Client{Version: a.Version},
			Instead: func(mirror *url.URL) { say(listed.Instead(mirror, u)) },
			Told: func(err error) { // by one goroutine
				switch {
				case err != nil:
					failed = true
					warn(listed.Not(u, err))
				case failed:
					failed = false
					say(listed.Again(u))
				}
			},
		}
		all.Go(func() { one.Run(ctx) })
	}
	all.Wait()
}
