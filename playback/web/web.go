// Package web is the page that a node gives to browsers: it plays the channels and draws
// their trees. All of it is in the binary and works offline. The files here are what a browser gets;
// `go generate ./playback/web` packs them into web.z, which is in the binary. Nothing is loaded from elsewhere.
//
//	start.js   begins the page or the frame, in the language that is wished for
//	  tongue.js  which language that is, and its sentences: lang/, a file each
//	  dress.js   puts it into what index.html says in English
//	app.js     which channel, and what the node says of it
//	  choice.js  which channel an address names
//	  words.js   the words for all of it, made of the language's sentences
//	embed.js   the picture alone, for frames of other sites (embed.html has the player of index.html)
//	stage.js   the controls over the picture
//	  card.js    what happens, in words over the picture
//	  timeline.js  where in what is kept it is (moments.js), and peek.js draws what was
//	  cast.js    the picture on another device
//	player.js  one channel in a video element, through whatever happens
//	  sink.js    its MediaSource
//	  mp4.js     cuts the stream into segments, tells their codecs
//	  captions.js  finds captions in the pictures, and cea608.js reads them
//	  pace.js    how to keep up with live
//	  tabs.js    what other tabs in the same browser take
//	  near.js    pictures and sound that the page decodes itself, nearer to live
//	    samples.js   takes them out of the stream
//	    beat.js      says when they are due
//	    picture.js   decodes pictures and paints them
//	    sound.js     decodes sound and plays it: speaker.js, where the browser renders it, line.js, what waits there
//	  place.js   whether the picture stands where it will never move
//	  wedge.js   whether what comes can be played
//	state.js   what a viewer sees: what the node says of the channel, and the page of itself
//	broadcast.js  the room that films, at the source (broadcast.html)
//	  capture.js   cameras, microphones, screens
//	  film.js      sizes, codecs, clocks, records
//	  encode.js    a worker: encodes and sends
//	  call.js      the same over WebRTC, where browsers do not encode for pages
//	share.js   what to pass on, and copy.js copies it
//	followed.js  which of the channels are live that the person at this machine follows
//	details.js whether the engine room is shown
//	keys.js    what keys do; dialog.js is what opens over the page
//	node.js    asks the node's API
//	tree.js    draws the tree; layout.js says where
//	graph.js   draws the last five minutes
//
// Whoever speaks one of the languages better corrects a sentence in its file in lang/, between the quotation marks;
// lang/en.js says how. A language is added by a file there and a line in tongue.js. What it lacks is said in English,
// and [TestUnits] says what that is, and which sentence is too wide for a phone. Titles of channels, names of nodes,
// and what the node itself words (the problem of a tree) stay as they are. <noscript> is in English.
package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Prefix begins the paths of the page's parts.
const Prefix = "/web/"

const (
	page  = "index.html"
	alone = "embed.html"
	films = "broadcast.html"
	// stagePlace is where alone has the player of page.
	stagePlace = "<!-- stage -->"
)

// policy (Content Security Policy Level 3) lets the page load only its own files, its
// node's answers, and the streams that it builds itself (blob:). A stranger's title that
// became markup could not run, and no other site can frame the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; " +
	framedBy + "'none'; require-trusted-types-for 'script'"

const framedBy = "frame-ancestors "

// file is one part of the page.
type file struct {
	body      []byte
	mediaType string
	etag      string
}

// parts is filled when somebody asks first, and only read afterwards.
var parts = sync.OnceValue(load)

func load() map[string]file {
	files, err := unpack(packed)
	if err != nil {
		panic(err) // they are in the binary
	}
	all := make(map[string]file, len(files))
	for name, body := range files {
		all[name] = file{body, typeOf(name), tag(body)}
	}
	frame := all[alone]
	frame.body = bytes.Replace(frame.body, []byte(stagePlace), stageOf(all[page].body), 1)
	frame.etag = tag(frame.body)
	all[alone] = frame
	return all
}

// stageOf cuts the player out of the page: there is one, wherever it is shown.
func stageOf(body []byte) []byte {
	const begin, end = `<section id="stage"`, "</section>"
	from := bytes.Index(body, []byte(begin))
	return body[from : from+bytes.Index(body[from:], []byte(end))+len(end)]
}

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// typeOf returns the media type by the suffix. It does not ask the machine's own table,
// which may give .js a type that no browser runs.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// Wants reports whether r asks for a page: whether its Accept header names text/html,
// as those of browsers do and those of players and curl do not.
func Wants(r *http.Request) bool {
	for accept := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if t, _, err := mime.ParseMediaType(accept); err == nil && t == "text/html" {
			return true
		}
	}
	return false
}

// ServePage answers with the page itself. The page reads in its own address which channel
// to open.
func ServePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept") // other clients get text at the same address
	serve(w, r, parts()[page], policy)
}

// ServeEmbed answers with the picture alone, for frames of pages of those sites. What a browser has
// kept is of no use to it when the sites are others: the policy may be taken from there.
func ServeEmbed(w http.ResponseWriter, r *http.Request, sites []string) {
	f := parts()[alone]
	by := strings.Replace(policy, framedBy+"'none'", framedBy+strings.Join(sites, " "), 1)
	f.etag = tag([]byte(f.etag + by))
	serve(w, r, f, by)
}

// ServeBroadcast answers with the page that films.
func ServeBroadcast(w http.ResponseWriter, r *http.Request) { serve(w, r, parts()[films], policy) }

// ServePart answers for a path below [Prefix].
func ServePart(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	f, ok := parts()[name]
	if !ok || path.Ext(name) == ".html" {
		http.Error(w, "The page has no such part. The page is at /.", http.StatusNotFound)
		return
	}
	serve(w, r, f, policy)
}

func serve(w http.ResponseWriter, r *http.Request, f file, policy string) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache") // kept, but checked each time: the next version may differ
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
