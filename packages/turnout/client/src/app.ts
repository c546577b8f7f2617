/** Makes the pages lively. Each part finds its elements by a data attribute, and a page without them is left alone. */
import { loadCards } from "./cards";
import { readCharts } from "./chart";
import { offerCopies } from "./copy";
import { showPlaces } from "./line";
import { showLive } from "./live";
import { closeMenus } from "./menus";
import { navigateInPlace } from "./navigate";
import { addPart, beginPage, isolated } from "./page";
import { refreshParts } from "./refresh";
import { searchAsTyped } from "./search";
import { listenForKeys, offerShortcuts } from "./shortcuts";
import { suggestValues } from "./suggest";
import { guessZones } from "./zone";

const parts = [offerCopies, readCharts, showLive, loadCards, offerShortcuts, suggestValues, guessZones, refreshParts, showPlaces];
for (const part of parts) addPart(part);
for (const listen of [navigateInPlace, closeMenus, listenForKeys, searchAsTyped]) isolated(listen);
beginPage();
