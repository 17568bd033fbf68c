package doctor

import (
	"testing"

	"relay/playback/api"
)

func TestDoctorExplainsRefusalsThatGrow(t *testing.T) {
	status := func(silent, crowd uint64) *api.Status {
		return &api.Status{Refused: map[string]map[string]uint64{
			"http": {"silent": silent, "full": 9, "of a later version": silent},
			"rtmp": {"crowd": crowd},
		}}
	}
	for name, c := range map[string]struct {
		before, later *api.Status
		want          string
	}{
		"no relay":       {nil, nil, ""},
		"it has ended":   {status(1, 1), nil, ""},
		"all is quiet":   {status(500, 1), status(500, 1), ""},
		"it began anew":  {status(500, 1), status(3, 0), ""},
		"an old version": {&api.Status{}, &api.Status{}, ""},
		"strangers": {status(500, 1), status(620, 4), `
			note This has grown by 120 while doctor looked: connections asked for nothing within 5 s (620 times since it began). => firewall
			note This has grown by 3 while doctor looked: RTMP connections gave way`},
	} {
		wantFindings(t, name, machine{running: c.before, later: c.later}.checkRefused(), c.want)
	}
}
