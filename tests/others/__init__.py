"""Templates of other people's, as the commands of a reviewer see them: `scripts/others FOLDER`."""
