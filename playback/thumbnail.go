package playback

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	thumbnailSuffix = ".jpg"
	// thumbnailAge is how old a thumbnail may be: one is made in some 100 ms of a core,
	// so however many ask, it costs 1% of one.
	thumbnailAge = 10 * time.Second
	// thumbnailTime bounds making one.
	thumbnailTime = 5 * time.Second
	// thumbnailBytes bounds a thumbnail.
	thumbnailBytes = 1 << 20
	// thumbnailAtOnce is how many are made at a time, of all channels.
	thumbnailAtOnce = 1
)

// thumbnail is the newest picture of a channel, small.
type thumbnail struct {
	mu   sync.Mutex // held while one is made
	jpeg []byte
	at   time.Time
	err  error
}

var (
	errNoPicture = errors.New("there is no picture yet")
	errNoSandbox = errors.New("this system cannot shut ffmpeg off from the network")
)

// thumbnail answers with a JPEG of the newest key frame, as ffmpeg makes it.
func (s *routes) thumbnail(w http.ResponseWriter, r *http.Request, c *Channel) {
	if !s.config.Thumbnails {
		http.Error(w, "Pictures are off here. Who runs this node can have them made with --thumbnails.", http.StatusNotFound)
		return
	}
	jpeg, err := c.thumb.get(r.Context(), c.ring, s.drawing)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		http.Error(w, "Pictures need ffmpeg on this machine.", http.StatusNotFound)
	case errors.Is(err, errNoSandbox):
		http.Error(w, "Pictures are not made here: "+err.Error()+", and it is given a stranger's bytes. They need Linux that lets users have namespaces.", http.StatusNotFound)
	case errors.Is(err, errNoPicture):
		http.Error(w, "There is no picture yet.", http.StatusNotFound)
	case err != nil:
		http.Error(w, "ffmpeg could not make a picture of this stream.", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(jpeg)
	}
}

// get returns the newest thumbnail. drawing has room for those that are made at a time.
func (t *thumbnail) get(ctx context.Context, ring *stream.Ring, drawing chan struct{}) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.at) < thumbnailAge {
		return t.jpeg, t.err
	}
	frame := newestPicture(ring)
	if frame == nil {
		return nil, errNoPicture
	}
	select {
	case drawing <- struct{}{}:
		defer func() { <-drawing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Others may wait for it too, so it is not given up with this request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thumbnailTime)
	defer cancel()
	t.jpeg, t.err = shrink(ctx, frame)
	t.at = time.Now()
	return t.jpeg, t.err
}

// newestPicture returns FLV that begins with the newest key frame and holds at least
// that; nil if there is none.
func newestPicture(ring *stream.Ring) []byte {
	batch, _, err := newFeed(ring, true).next()
	if err != nil || !slices.ContainsFunc(slices.Collect(batch.Tags()), isPicture) {
		return nil
	}
	return bytes.Join(batch.Parts, nil)
}

func isPicture(t flv.Tag) bool { return t.Type() == flv.Video && !flv.Classify(t).Config }

// shrink has ffmpeg decode the first picture of FLV, in a sandbox.
func shrink(ctx context.Context, media []byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-filter_threads", "1",
		"-protocol_whitelist", "pipe", "-f", "flv", "-i", "pipe:0",
		"-an", "-frames:v", "1", "-vf", "scale=480:-2", "-f", "image2pipe", "-c:v", "mjpeg", "-threads", "1", "-q:v", "5", "pipe:1")
	jpeg, err := sandboxed(cmd, media, thumbnailBytes)
	switch {
	case err != nil:
		return nil, err
	case !bytes.HasPrefix(jpeg, []byte("\xff\xd8\xff")):
		return nil, errors.New("ffmpeg made no picture")
	}
	return jpeg, nil
}
