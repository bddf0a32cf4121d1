import { render } from "preact";
import { App } from "./app";
import { followPreferences } from "./look/preferences";
import "./style/base.css";
import "./style/parts.css";
import "./style/counter.css";
import "./style/screens.css";

followPreferences();
render(<App />, document.getElementById("app")!);
