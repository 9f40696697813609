"""What counts as background of a portrait at chip size, and how far flattening may go."""

from typing import Final

EDGE_PX: Final = 3  # the level is the median of so wide a strip along the top and the upper sides
SIDE_ROWS: Final = 84  # two thirds of the height: below are shoulders, and white shirts that are no wall
LEAST_LEVEL: Final = 160  # of each colour: a darker wall is for the checks to hold, not to be touched up
NEAR: Final = 24  # levels of a colour by which background may differ from the level
STEP: Final = 10  # levels of a colour between neighbours: where it changes faster something stands before the wall
LEAST_SHARE: Final = 12  # a twelfth of the picture must be background; less is a guess

# Never touched, whatever it looks like: an ellipse that holds the face of every photo that keeps the standard's
# place (GA 461-2004: face 207 +- 14 px wide and centred, crown 7 to 21 px, eyes at least 207 px above the edge).
FACE_X2, FACE_Y = 101, 60  # its centre: twice the column, the row
FACE_WIDTH, FACE_HEIGHT = 31, 55  # its half axes in pixels

MARGIN_PX: Final = 2  # so near to anything that is no background nothing changes
RAMP_PX: Final = 6  # over so many more pixels the change grows to its whole strength
LIMIT: Final = 12  # levels a colour may change at most
