package term

import "testing"

func TestPiecesGoInTheirOrder(t *testing.T) {
	line := StatusLine{
		{{Text: "LIVE", Colour: Green, Keep: Always}, {Text: "1080p", Keep: 1}, {Keep: 9}},
		{{Keep: 5}},
		{{Text: "up", Keep: 3}, {Text: "LAN", Keep: 2, Comma: true}},
	}
	for _, c := range []struct {
		style Style
		want  string
	}{
		{Style{}, "LIVE 1080p | up, LAN"},
		{Style{Width: 21}, "LIVE 1080p | up, LAN"}, // the last column stays empty
		{Style{Width: 20}, "LIVE | up, LAN"},
		{Style{Width: 14}, "LIVE | up"},
		{Style{Width: 9}, "LIVE"},
		{Style{Width: 4}, "LI…"},
		{Style{Width: 4, ASCII: true}, "LI~"},
		{Style{Width: 14, Colour: true}, Green + "LIVE" + Plain + " | up"},
	} {
		if got := line.Draw(c.style); got != c.want {
			t.Errorf("%+v: %q, want %q", c.style, got, c.want)
		}
	}
}
