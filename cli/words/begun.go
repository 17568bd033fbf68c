package words

import (
	"fmt"
	"time"

	"relay/relay/stream"
)

// BegunAhead returns the warning that viewers will refuse a run, and whether there is one: it may have begun when this
// machine's clock was ahead, or follow one that did, as a run is later than the one before.
func BegunAhead(run stream.Epoch, now time.Time) (Warning, bool) {
	if run.Check(now) == nil {
		return Warning{}, false
	}
	return Warning{
		warnAhead,
		fmt.Sprintf("the channel was started last at %s, and this machine's clock says %s: until then viewers refuse the stream",
			time.UnixMilli(int64(run.Ms)).UTC().Format(time.DateTime), now.UTC().Format(time.DateTime)),
		"set this machine's clock; if it is right now, and was ahead then, relay doctor says which file to remove",
	}, true
}
