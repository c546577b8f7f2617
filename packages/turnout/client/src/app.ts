/** Makes the pages lively. Each part finds its elements by a data attribute, and a page without them is left alone. */
import { offerCopies } from "./copy";

offerCopies();
